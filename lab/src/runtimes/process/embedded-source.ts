/** The real lab's plan: engines embedded on this machine and the services of the chosen profiles. */

import { LabError } from "../../cli/lab-error.ts";
import { planEmulator } from "../../engines/emulator.ts";
import { prepareNats } from "../../engines/nats.ts";
import { postgresUrl, preparePostgres } from "../../engines/postgres.ts";
import { prepareRedis } from "../../engines/redis.ts";
import { knownPostgresPassword, postgresPassword } from "../../engines/secrets.ts";
import { labPaths } from "../../paths.ts";
import type { Profile, Settings } from "../../settings.ts";
import { biddingParts, biddingPorts, biddingVariables } from "./bidding-parts.ts";
import { ordersParts, ordersPorts, ordersVariables } from "./orders-parts.ts";
import { defaultRestarts, type PartPlan } from "./plan.ts";
import type { PlanSource } from "./process-runtime.ts";

/** What `make up` runs. */
export function embeddedSource(settings: Settings): PlanSource {
  const { ports } = settings;
  const paths = labPaths(settings.labDir);
  return {
    parts: (profiles) => [
      ...enginesOf(profiles, settings),
      ...(profiles.includes("orders") ? Object.values(ordersPorts(settings)) : []),
      ...(profiles.includes("bidding") ? Object.values(biddingPorts(settings)) : []),
    ],
    variables: (profiles) => ({
      ...(profiles.includes("orders") && ordersVariables(settings)),
      ...(profiles.includes("bidding") && biddingVariables(settings)),
    }),
    async prepare(profiles, context) {
      if (profiles.includes("orders")) assertWorkers(settings);
      const prepare: Record<EngineName, () => PartPlan | Promise<PartPlan>> = {
        postgres: () => preparePostgres(paths, ports.postgres, context),
        redis: () => prepareRedis(paths, ports.redis, context),
        nats: () => prepareNats(paths, ports.nats, context),
        emulator: () => planEmulator(ports.emulator),
      };
      const engines = await Promise.all(enginesOf(profiles, settings).map(({ name }) => prepare[name]()));
      const databaseUrl = postgresUrl(ports.postgres, postgresPassword(paths.secrets));
      const parts = [
        ...engines,
        ...(profiles.includes("orders") ? ordersParts(settings, databaseUrl) : []),
        ...(profiles.includes("bidding") ? biddingParts(settings, databaseUrl) : []),
      ];
      return { profiles, parts, restarts: defaultRestarts };
    },
    endpoint(part) {
      if (part !== "postgres") return undefined;
      const password = knownPostgresPassword(paths.secrets);
      return password === undefined ? undefined : postgresUrl(ports.postgres, password);
    },
  };
}

type EngineName = "postgres" | "redis" | "nats" | "emulator";

/** Those that the systems need; both of the first by each of them. */
function enginesOf(profiles: readonly Profile[], { ports, broker }: Settings) {
  const engines: { name: EngineName; port: number; portVariable: string }[] = [
    { name: "postgres", port: ports.postgres, portVariable: "POSTGRES_PORT" },
    { name: "redis", port: ports.redis, portVariable: "REDIS_PORT" },
  ];
  if (profiles.includes("bidding"))
    engines.push({ name: "nats", port: ports.nats, portVariable: "NATS_PORT" });
  if (profiles.includes("orders") && broker === "sns-sqs") {
    engines.push({ name: "emulator", port: ports.emulator, portVariable: "EMULATOR_PORT" });
  }
  return engines;
}

/** The settings refuse this where they name the runtime; here it is the one that this machine has. */
function assertWorkers({ consumer }: Settings): void {
  if (consumer === "workers") return;
  throw new LabError(
    "SETTINGS_INVALID",
    "CONSUMER=lambda needs containers, and this is the process runtime.",
    {
      reason: "The process runtime's emulator runs no Lambda functions.",
      remedy:
        'Start a Docker engine ("make engine" installs one) and set EMULATOR=ministack, or set CONSUMER=workers.',
    },
  );
}
