/** A service as a part of the process runtime: what they all have in common, and nothing they could tell the runtime by. */
import { join } from "node:path";
import { rootDir } from "../../paths.ts";
import type { Settings } from "../../settings.ts";
import { childEnvironment } from "../../util/run-command.ts";
import type { PartPlan } from "./plan.ts";
import type { WantedVariables } from "./unlike-settings.ts";

const graceSeconds = 25;
// A little more than a service gives itself, so that it ends by itself.
const stopGrace = 30_000;

export interface ServicePart {
  readonly name: string;
  /** From `services/`, such as `orders/src/receiver/main.ts`. */
  readonly main: string;
  readonly port: number;
  readonly portVariable: string;
  readonly dependsOn: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export function servicePart(settings: Settings, part: ServicePart): PartPlan {
  const { name, main, port, portVariable, dependsOn, environment } = part;
  const url = `http://127.0.0.1:${port}`;
  return {
    name,
    kind: "service",
    command: process.execPath,
    args: [join(rootDir, "services", main)],
    cwd: rootDir,
    environment: {
      ...childEnvironment(process.env),
      NODE_ENV: "production",
      HOST: "127.0.0.1",
      PORT: String(port),
      LOG_LEVEL: settings.logLevel,
      SHUTDOWN_GRACE_SECONDS: String(graceSeconds),
      ...(settings.traceCollector === undefined
        ? {}
        : { OTEL_EXPORTER_OTLP_ENDPOINT: settings.traceCollector }),
      ...environment,
    },
    port,
    portVariable,
    url,
    version: `node ${process.versions.node}`,
    probe: { type: "http", url: `${url}/health/ready` },
    readyTimeout: 30_000,
    stopSignal: "SIGTERM",
    stopGrace,
    dependsOn,
  };
}

/** What settings decide of every service; the second may also be given to none. */
const COMMON = ["LOG_LEVEL", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/**
 * What settings decide beside addresses, by part, without what is secret.
 * @param names some parts have some of them
 */
export function chosenOf(
  parts: readonly Pick<PartPlan, "name" | "environment">[],
  names: readonly string[],
): WantedVariables {
  const chosen = parts.map(({ name: part, environment }) => {
    const own = [...names.filter((name) => name in environment), ...COMMON];
    return [part, Object.fromEntries(own.map((name) => [name, environment[name]]))] as const;
  });
  return Object.fromEntries(chosen);
}
