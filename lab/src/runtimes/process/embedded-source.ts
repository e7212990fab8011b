/** The real lab's plan: engines embedded on this machine and the services of the chosen profiles. */

import { LabError } from "../../cli/lab-error.ts";
import { planEmulator } from "../../engines/emulator.ts";
import { postgresUrl, preparePostgres } from "../../engines/postgres.ts";
import { prepareRedis } from "../../engines/redis.ts";
import { knownPostgresPassword, postgresPassword } from "../../engines/secrets.ts";
import { labPaths } from "../../paths.ts";
import type { Settings } from "../../settings.ts";
import { chosenVariables, ordersParts, ordersPorts } from "./orders-parts.ts";
import { defaultRestarts } from "./plan.ts";
import type { PlanSource } from "./process-runtime.ts";

/** What `make up` runs. */
export function embeddedSource(settings: Settings): PlanSource {
  const { ports } = settings;
  const paths = labPaths(settings.labDir);
  const hasEmulator = settings.broker === "sns-sqs";
  return {
    parts: (profiles) => [
      { name: "postgres", port: ports.postgres, portVariable: "POSTGRES_PORT" },
      { name: "redis", port: ports.redis, portVariable: "REDIS_PORT" },
      ...(hasEmulator ? [{ name: "emulator", port: ports.emulator, portVariable: "EMULATOR_PORT" }] : []),
      ...(profiles.includes("orders") ? ordersPorts(settings) : []),
    ],
    variables: (profiles) => (profiles.includes("orders") ? chosenVariables(settings) : {}),
    async prepare(profiles, context) {
      assertWorkers(settings);
      const engines = await Promise.all([
        preparePostgres(paths, ports.postgres, context),
        prepareRedis(paths, ports.redis, context),
        ...(hasEmulator ? [planEmulator(ports.emulator)] : []),
      ]);
      const databaseUrl = postgresUrl(ports.postgres, postgresPassword(paths.secrets));
      const services = profiles.includes("orders") ? ordersParts(settings, databaseUrl) : [];
      return { profiles, parts: [...engines, ...services], restarts: defaultRestarts };
    },
    endpoint(part) {
      if (part !== "postgres") return undefined;
      const password = knownPostgresPassword(paths.secrets);
      return password === undefined ? undefined : postgresUrl(ports.postgres, password);
    },
  };
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
