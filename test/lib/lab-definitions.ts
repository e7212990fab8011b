/**
 * How the lab runs its containers, read from its own compose files: the suites run the same images with the same commands,
 * limits and health checks, each suite with names, ports and volumes of its own.
 */

import { join } from "node:path";
import { z } from "zod";
import { dockerEnvironment, runDocker } from "../../lab/src/docker/cli.ts";
import { requireEngine } from "../../lab/src/docker/engine.ts";
import { sessionVariable } from "../../lab/src/docker/test-resources.ts";
import { type BackingServer, backingImages } from "../../lab/src/images/catalogue.ts";
import { resolveImages } from "../../lab/src/images/resolve-images.ts";
import { rootDir } from "../../lab/src/paths.ts";
import { type BrokerName, type EmulatorName, profiles } from "../../lab/src/settings.ts";
import { checkoutSettings } from "./own-lab.ts";

const bytes = z.coerce.number();

/** What of a service in `docker compose config` is used here. */
const definitionSchema = z.object({
  image: z.string(),
  command: z.array(z.string()).nullish(),
  environment: z.record(z.string(), z.string().nullable()).default({}),
  healthcheck: z.object({
    test: z.array(z.string()),
    interval: z.string(),
    timeout: z.string(),
    retries: z.number(),
    start_period: z.string(),
    start_interval: z.string(),
  }),
  user: z.string().optional(),
  init: z.boolean().default(false),
  read_only: z.boolean().default(false),
  tmpfs: z.array(z.string()).default([]),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  pids_limit: z.number().optional(),
  mem_limit: bytes.optional(),
  memswap_limit: bytes.optional(),
  shm_size: bytes.optional(),
  cpus: z.number().optional(),
  ports: z.array(z.object({ target: z.number() })).default([]),
  volumes: z
    .array(
      z.discriminatedUnion("type", [
        z.object({ type: z.literal("volume"), target: z.string() }),
        /** A file of the repository. */
        z.object({ type: z.literal("bind"), source: z.string(), target: z.string() }),
      ]),
    )
    .default([]),
  stop_signal: z.string().optional(),
  stop_grace_period: z.string(),
});

export type Definition = z.output<typeof definitionSchema>;

/** The lab's password of Postgres in these suites. */
export const postgresPassword = "integration";

/** Every service of the lab by its name, with this emulator and this broker. */
export async function labDefinitions(
  emulator: EmulatorName,
  broker: BrokerName = "sns-sqs",
): Promise<ReadonlyMap<string, Definition>> {
  const file = join(rootDir, "compose", "compose.yaml");
  const { code, stdout, stderr } = await runDocker(
    ["compose", "--file", file, "--profile", "all", "config", "--format", "json"],
    {
      // The user's own settings stay outside, but for the images.
      env: {
        ...dockerEnvironment(),
        ...(await imageVariables()),
        EMULATOR: emulator,
        BROKER: broker,
        POSTGRES_PASSWORD: postgresPassword,
      },
      timeout: 20_000,
    },
  );
  if (code !== 0) throw new Error(`The compose files cannot be read: ${stderr.trim()}`);
  const { services } = z
    .object({ services: z.record(z.string(), definitionSchema) })
    .parse(JSON.parse(stdout));
  return new Map(Object.entries(services));
}

/** One service of the lab. */
export async function labDefinition(
  name: string,
  emulator: EmulatorName = "localstack",
  broker: BrokerName = "sns-sqs",
): Promise<Definition> {
  const definition = (await labDefinitions(emulator, broker)).get(name);
  if (!definition) throw new Error(`The compose files have no service ${name}`);
  return definition;
}

/** The images to use; the command that runs all suites has found or built them already. */
async function imageVariables(): Promise<Record<string, string>> {
  if (process.env[sessionVariable]) {
    const given = Object.entries(process.env).filter(([name]) => name.endsWith("_IMAGE"));
    return Object.fromEntries(given) as Record<string, string>;
  }
  const { variables } = await resolveImages({
    engine: await requireEngine(),
    settings: checkoutSettings(),
    servers: Object.keys(backingImages) as BackingServer[],
    systems: profiles,
    signal: AbortSignal.timeout(300_000),
    onEvent: ({ text }) => process.stderr.write(`${text}\n`),
  });
  return { ...variables };
}

/** Compose prints durations as Go does: "1m0s", "200ms". */
export function nanoseconds(duration: string): number {
  const units: Record<string, number> = { h: 3600e9, m: 60e9, s: 1e9, ms: 1e6, us: 1e3, µs: 1e3, ns: 1 };
  let sum = 0;
  for (const [, number, unit] of duration.matchAll(/([\d.]+)(h|ms|us|µs|ns|m|s)/g)) {
    sum += Number(number) * (units[unit ?? ""] ?? Number.NaN);
  }
  return sum;
}
