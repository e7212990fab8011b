/**
 * A lab of the test's own whose services reach what they need through toxiproxy, with either broker: parts can be killed
 * by the runtime, and the wires between them cut, silenced and delayed.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Broker, bullmqOperator, type QueueOperator, sqsOperator } from "@parallax/messaging";
import type { Test } from "tap";
import { z } from "zod";
import { OrdersApi } from "../../../lab/src/experiments/orders/orders-api.ts";
import { ordersParts } from "../../../lab/src/runtimes/process/orders-parts.ts";
import type { PartPlan } from "../../../lab/src/runtimes/process/plan.ts";
import type { Runtime } from "../../../lab/src/runtimes/runtime.ts";
import type { BrokerName, Settings } from "../../../lab/src/settings.ts";
import { brokerVariables, connectBroker } from "../../../services/orders/src/adapters/broker-environment.ts";
import { type OwnLab, ownLab } from "../own-lab.ts";
import { startToxiproxy, type Toxiproxy, type Wire } from "../toxiproxy.ts";
import { type OwnProcess, startService } from "./own-process.ts";
import { metricOf, receiveCounts } from "./service-signs.ts";
import type { Watched } from "./witness.ts";

export type OrdersPart = "orders-receiver" | "orders-payments" | "orders-processor";

/** Small, so that what is in the hands of a processor that dies comes back soon. */
export const VISIBILITY_SECONDS = 3;
export const MAX_RECEIVE_COUNT = 3;
/** By then an order that is delivered in vain each time would be in the dead-letter queue. */
export const LONG_OUTAGE_MS = (VISIBILITY_SECONDS * MAX_RECEIVE_COUNT + 1) * 1000;

/** Lines of each part's log. */
const MOST_TROUBLE = 15;

export interface Wires {
  /** From the processor. */
  readonly payments: Wire;
  readonly database: Wire;
  readonly queue: Wire;
  /** From the receiver to the broker. */
  readonly publishing: Wire;
}

export class WiredLab implements Watched {
  readonly runtimeName = "process";
  readonly broker: BrokerName;
  readonly runtime: Runtime;
  readonly wires: Wires;
  readonly api: OrdersApi;
  readonly operator: QueueOperator;
  readonly receiverUrl: string;
  readonly #lab: OwnLab;

  /** Up and healthy, gone when `t` ends; `env` overrides the lab's settings. */
  static async start(t: Test, broker: BrokerName, env: Record<string, string> = {}): Promise<WiredLab> {
    const toxiproxy = await startToxiproxy(t);
    let wires: Wires | undefined;
    const settings = {
      BROKER: broker,
      PAYMENT_SECONDS: "0.2",
      PAYMENT_CONCURRENCY: "0",
      NUM_WORKERS: "10",
      VISIBILITY_TIMEOUT_SECONDS: String(VISIBILITY_SECONDS),
      ...env,
    };
    const lab = await ownLab(t, settings, async ({ ports }) => {
      const made = await makeWires(toxiproxy, broker, ports);
      wires = made;
      return (part) => ({ ...part, environment: { ...part.environment, ...wiring(part, broker, made) } });
    });
    const wired = new WiredLab(broker, lab, wires as unknown as Wires);
    t.teardown(async () => {
      if (!t.passing()) await wired.#showTrouble(t);
      await Promise.all([wired.api, wired.operator].map((it) => it[Symbol.asyncDispose]()));
    });
    return wired;
  }

  private constructor(broker: BrokerName, lab: OwnLab, wires: Wires) {
    this.broker = broker;
    this.#lab = lab;
    this.runtime = lab.runtime;
    this.wires = wires;
    this.receiverUrl = lab.runtime.endpoint("orders-receiver");
    this.api = new OrdersApi({
      receiver: this.receiverUrl,
      payments: lab.runtime.endpoint("orders-payments"),
    });
    this.operator = operatorOf(broker, this.plan("orders-processor").environment);
  }

  get settings(): Settings {
    return this.#lab.settings;
  }

  /** The part that carries the queue: the one to kill. */
  get brokerPart(): string {
    return brokerPart(this.broker);
  }

  /** How this service is run past the wires. */
  plan(part: OrdersPart): PartPlan {
    const parts = ordersParts(this.#lab.settings, this.runtime.endpoint("postgres"));
    const plan = parts.find(({ name }) => name === part);
    if (!plan) throw new Error(`There is no part ${part}`);
    return {
      ...plan,
      environment: { ...plan.environment, MAX_RECEIVE_COUNT: String(MAX_RECEIVE_COUNT) },
    };
  }

  /** Another processor beside the lab's own, not on its wires; gone when `t` ends. */
  anotherProcessor(t: Test, environment: Record<string, string> = {}): Promise<OwnProcess> {
    return startService(t, this.plan("orders-processor"), environment);
  }

  /** To publish what the receiver would refuse, past the wires. */
  publisher(t: Test): Broker {
    const environment = this.plan("orders-receiver").environment;
    // The SDK looks there for credentials by itself.
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
      process.env[name] ??= environment[name];
    const broker = connectBroker(z.object(brokerVariables).parse(environment));
    t.teardown(() => broker[Symbol.asyncDispose]());
    return broker;
  }

  /** A sample of the part's metrics by name and, in Prometheus' own writing, one of its labels. */
  metric(part: OrdersPart, name: string, label?: string): Promise<number> {
    return metricOf(this.runtime.endpoint(part), name, label);
  }

  /** How often each of these orders had been received when it was processed, once the log tells it of all of them. */
  receiveCounts(ids: readonly string[]): Promise<Map<string, number>> {
    return receiveCounts(() => this.#logged("orders-processor"), ids);
  }

  /** The logs go with the lab: what is worse than normal is worth keeping beside a failure. */
  async #showTrouble(t: Test): Promise<void> {
    for (const part of ["orders-receiver", "orders-payments", "orders-processor"]) {
      const worse = (await this.#logged(part))
        .split("\n")
        .filter((line) => /"level":"(warn|error|fatal)"/.test(line));
      for (const line of worse.slice(-MOST_TROUBLE)) t.comment(`${part}: ${line.slice(0, 600)}`);
    }
  }

  async #logged(part: string): Promise<string> {
    return await readFile(join(this.#lab.directory, "logs", `${part}.log`), "utf8");
  }
}

async function makeWires(toxiproxy: Toxiproxy, broker: BrokerName, ports: Settings["ports"]): Promise<Wires> {
  const wire = (name: string, port: number) => toxiproxy.wire(name, `http://127.0.0.1:${port}`);
  const brokerPort = broker === "sns-sqs" ? ports.emulator : ports.redis;
  const [payments, database, queue, publishing] = await Promise.all([
    wire("payments", ports.ordersPayments),
    wire("database", ports.postgres),
    wire("queue", brokerPort),
    wire("publishing", brokerPort),
  ]);
  return { payments, database, queue, publishing };
}

/** The variables that lead a service over the wires. */
function wiring({ name, environment }: PartPlan, broker: BrokerName, wires: Wires): Record<string, string> {
  if (name !== "orders-receiver" && name !== "orders-processor") return {};
  const { port } = name === "orders-receiver" ? wires.publishing : wires.queue;
  const way: Record<string, string> =
    broker === "sns-sqs"
      ? { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` }
      : { REDIS_URL: `redis://127.0.0.1:${port}` };
  const both = { ...way, MAX_RECEIVE_COUNT: String(MAX_RECEIVE_COUNT) };
  if (name === "orders-receiver") return both;
  const databaseUrl = new URL(environment.DATABASE_URL ?? "");
  databaseUrl.port = String(wires.database.port);
  return { ...both, DATABASE_URL: databaseUrl.href, PAYMENTS_URL: wires.payments.url };
}

function brokerPart(broker: BrokerName): string {
  return broker === "sns-sqs" ? "emulator" : "redis";
}

function operatorOf(broker: BrokerName, environment: Readonly<Record<string, string>>): QueueOperator {
  const queue = "order-processing-queue";
  if (broker === "bullmq") return bullmqOperator({ url: environment.REDIS_URL as string, queue });
  return sqsOperator({
    queue,
    region: environment.AWS_REGION as string,
    endpoint: environment.AWS_ENDPOINT_URL,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
}
