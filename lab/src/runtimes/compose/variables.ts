/**
 * Every variable of the compose files, filled in from the settings. They are written to LAB_DIR/compose.env, so that
 * `docker compose --env-file` sees the same lab as the lab's own commands.
 */
import { availableParallelism } from "node:os";
import { awsRegion } from "../../engines/emulator.ts";
import type { Settings } from "../../settings.ts";
import { writeTextFile } from "../../util/files.ts";

export interface FilledIn {
  /** Variable by variable, as images/resolve-images.ts has chosen them. */
  readonly images: Readonly<Record<string, string>>;
  readonly postgresPassword: string;
  /** Of the machine or virtual machine that the containers run on. */
  readonly cpus: number;
}

/** What is written down. The LocalStack token is not: it goes along in the environment (secretVariables). */
export function composeVariables(settings: Settings, filledIn: FilledIn): Record<string, string> {
  const { ports, orders, bidding } = settings;
  return {
    COMPOSE_PROJECT_NAME: settings.composeProject,
    LAB_DIR: settings.labDir,
    EMULATOR: settings.emulator,
    BROKER: settings.broker,
    CONSUMER: settings.consumer,
    GATEWAYS: String(bidding.gateways),
    LOG_LEVEL: settings.logLevel,
    OTEL_EXPORTER_OTLP_ENDPOINT: settings.traceCollector ?? "",
    AWS_REGION: awsRegion,
    POSTGRES_PASSWORD: filledIn.postgresPassword,
    // An engine may keep both processors of a small machine busy; no container may ask for more than there are.
    ENGINE_CPUS: String(Math.min(2, filledIn.cpus)),
    ORDERS_RECEIVER_PORT: String(ports.ordersReceiver),
    ORDERS_PAYMENTS_PORT: String(ports.ordersPayments),
    ORDERS_PROCESSOR_PORT: String(ports.ordersProcessor),
    BIDDING_API_PORT: String(ports.biddingApi),
    BIDDING_LIVE_PORT: String(ports.biddingLive),
    BIDDING_ARCHIVER_PORT: String(ports.biddingArchiver),
    EMULATOR_PORT: String(ports.emulator),
    REDIS_PORT: String(ports.redis),
    NATS_PORT: String(ports.nats),
    POSTGRES_PORT: String(ports.postgres),
    NUM_WORKERS: String(orders.numWorkers),
    PAYMENT_SECONDS: String(orders.paymentSeconds),
    PAYMENT_CONCURRENCY: String(orders.paymentConcurrency),
    VISIBILITY_TIMEOUT_SECONDS: String(orders.visibilitySeconds),
    SYNC_ABANDON: orders.syncAbandon,
    BROADCAST_HZ: String(bidding.broadcastHz),
    // The lab has looked for every image itself, and can say more about a missing one.
    PULL_POLICY: "never",
    ...filledIn.images,
  };
}

/** What `docker compose` is told in its environment only. */
export function secretVariables(settings: Settings): Record<string, string> {
  return settings.localstackToken === undefined ? {} : { LOCALSTACK_AUTH_TOKEN: settings.localstackToken };
}

/** Readable by the owner only: the database's password is in it. */
export function writeEnvironmentFile(path: string, variables: Readonly<Record<string, string>>): void {
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}`);
  writeTextFile(path, `# Written by "make up"; changes are lost at the next one.\n${lines.join("\n")}\n`);
}

/** Where nothing is known of the engine's machine, it is taken to be this one. */
export function cpusOf(info: { NCPU?: number }): number {
  return info.NCPU ?? availableParallelism();
}

/** As Compose reads it: nothing is replaced between single quotes, and no quote can be written there. */
function quoted(value: string): string {
  if (!/['\n\r]/.test(value)) return `'${value}'`;
  return `"${value
    .replaceAll(/[\\"$]/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")}"`;
}
