/**
 * Configuration from the environment: pure, environment in, typed configuration out, or one error that
 * lists everything wrong at once, so that a person mends it in one go.
 */

import { z } from "zod";
import { samplers } from "./telemetry/tracing.ts";

/** One or more variables are missing or wrong; `problems` holds a line for each. Not retryable. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "CONFIG_INVALID";
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(`The configuration is not valid:\n${problems.map((line) => `  - ${line}`).join("\n")}`, options);
    this.problems = problems;
  }
}

/**
 * Reads and checks `env` against a zod object whose keys are the variables' names. An empty variable counts
 * as absent, as Compose and shells write it. Values that look secret are not repeated in the error.
 * @throws ConfigError listing every problem.
 */
export function configure<S extends z.ZodObject>(schema: S, env: NodeJS.ProcessEnv): z.infer<S> {
  const given = Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => {
      const value = env[name];
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? "environment");
    return `${name}: ${issue.message}${shown(name, given[name])}`;
  });
  throw new ConfigError(problems, { cause: parsed.error });
}

function shown(name: string, value: string | undefined): string {
  if (value === undefined) return " (it is not set)";
  // Of URLs and headers it is a part that may be secret.
  if (/PASSWORD|SECRET|TOKEN|KEY|HEADERS|(URL|ENDPOINT)$/.test(name) || value.includes("://"))
    return " (value not shown)";
  return ` (it is ${JSON.stringify(value.slice(0, 80))})`;
}

/** Environment variables are text; these read the usual kinds out of it, with bounds. */
export const fields = {
  integer: (bounds: { min: number; max: number }) =>
    z
      .string()
      .regex(/^-?\d{1,15}$/, "must be a whole number")
      .transform(Number)
      .refine((n) => n >= bounds.min && n <= bounds.max, `must be from ${bounds.min} to ${bounds.max}`),
  number: (bounds: { min: number; max: number }) =>
    z
      .string()
      .regex(/^\d{1,15}(\.\d{1,9})?$/, "must be a number")
      .transform(Number)
      .refine((n) => n >= bounds.min && n <= bounds.max, `must be from ${bounds.min} to ${bounds.max}`),
  /** Port 0 asks the system for a free one; tests use it. */
  port: () => fields.integer({ min: 0, max: 65_535 }),
  url: (protocols: readonly string[]) =>
    z.string().refine(
      (value) => {
        const url = URL.parse(value);
        return url !== null && protocols.includes(url.protocol.slice(0, -1));
      },
      `must be a URL that begins with ${protocols.map((p) => `${p}://`).join(" or ")}`,
    ),
  logLevel: () => z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
} as const;

/** The standard variables of OpenTelemetry that are read here; traces are off without the endpoint. */
const tracingVariables = {
  OTEL_SDK_DISABLED: z
    .string()
    .toLowerCase()
    .pipe(z.enum(["true", "false"], "must be true or false"))
    .default("false"),
  /** Base URL of a collector that takes OTLP over HTTP. */
  OTEL_EXPORTER_OTLP_ENDPOINT: fields.url(["http", "https"]).optional(),
  /** `name=value,…`, read by the exporter itself. */
  OTEL_EXPORTER_OTLP_HEADERS: z.string().optional(),
  /** Milliseconds for one export. */
  OTEL_EXPORTER_OTLP_TIMEOUT: fields.integer({ min: 1, max: 60_000 }).default(5000),
  OTEL_SERVICE_NAME: z.string().optional(),
  /** `name=value,…`, read by the SDK itself. */
  OTEL_RESOURCE_ATTRIBUTES: z.string().optional(),
  OTEL_TRACES_SAMPLER: z.enum(samplers).default("parentbased_always_on"),
  OTEL_TRACES_SAMPLER_ARG: fields.number({ min: 0, max: 1 }).default(1),
};

/** The variables that every service reads; `serviceMain` needs all but the first. */
export const serviceVariables = {
  HOST: z.string().default("127.0.0.1"),
  LOG_LEVEL: fields.logLevel().default("info"),
  /** Seconds from the first signal until the process ends by itself, whatever is still going on. */
  SHUTDOWN_GRACE_SECONDS: fields.integer({ min: 1, max: 600 }).default(25),
  ...tracingVariables,
};
