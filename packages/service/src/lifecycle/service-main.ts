/**
 * The life of a service's process: read the environment, start, wait for a signal, drain, exit.
 *
 * Exit codes: 0 after an orderly stop, 1 when starting or stopping failed or a second signal forced the
 * end, 78 (EX_CONFIG of sysexits.h) when the configuration is wrong.
 */

import { ConfigError } from "../config.ts";
import { createLogger, type Logger } from "../telemetry/logger.ts";
import { startTracing, type Tracing, type TracingConfig } from "../telemetry/tracing.ts";
import { Releasers } from "./releasers.ts";

export interface ServiceDefinition<C extends ServiceConfig> {
  readonly name: string;
  /** @throws ConfigError */
  configure(env: NodeJS.ProcessEnv): C;
  /**
   * Wires and starts everything, registering with `releasers` how each thing is stopped again: they run when
   * the process is asked to end, and when `start` itself fails half-way. Resolves to what to log as started.
   */
  start(config: C, parts: ServiceParts): Promise<Record<string, unknown>>;
}

/** What `configure` must yield; `serviceVariables` are these. */
export interface ServiceConfig extends TracingConfig {
  readonly LOG_LEVEL: string;
  readonly SHUTDOWN_GRACE_SECONDS: number;
}

export interface ServiceParts {
  readonly logger: Logger;
  readonly releasers: Releasers;
  /** Undefined while traces are off. */
  readonly tracing: Tracing | undefined;
}

/** What is left of traces is sent for so long at the most, in milliseconds, and never beyond the grace period. */
const LAST_TRACES_MS = 2000;
/** Of the grace period, for what comes after the traces. */
const SPARE_MS = 300;

/** Runs `definition` as this process's one job. The only function here that ends the process. */
export async function serviceMain<C extends ServiceConfig>(definition: ServiceDefinition<C>): Promise<void> {
  let config: C;
  try {
    config = definition.configure(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${definition.name}: ${error.message}\n`);
    process.exitCode = 78;
    return;
  }
  const logger = createLogger({ name: definition.name, level: config.LOG_LEVEL });
  const releasers = new Releasers();
  process.exitCode = 0;
  let stopping: Promise<void> | undefined;

  const fail = (reason: string, error: unknown): Promise<void> => {
    process.exitCode = 1;
    logger.fatal({ reason, err: error }, stopping ? "failed while stopping" : "stopping after a failure");
    stopping ??= stop();
    return stopping;
  };
  let signalled = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalled) {
      logger.error({ signal }, "second signal: ending at once");
      exit(logger, 1);
      return;
    }
    signalled = true;
    logger.info({ reason: signal }, "stopping");
    stopping ??= stop();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  process.on("uncaughtException", (error) => void fail("uncaught exception", error));
  process.on("unhandledRejection", (error) => void fail("unhandled rejection", error));
  // Wrapped, so that a `start` that throws is one that rejects.
  const tracing = startTracing(config, definition.name, logger);
  const starting = (async () => definition.start(config, { logger, releasers, tracing: await tracing }))();
  try {
    logger.info(await starting, "started");
  } catch (error) {
    await fail("start failed", error);
  }

  async function stop(): Promise<void> {
    const graceEnds = performance.now() + config.SHUTDOWN_GRACE_SECONDS * 1000;
    const forced = setTimeout(() => {
      logger.error("still not stopped when the grace period ended");
      exit(logger, 1);
    }, config.SHUTDOWN_GRACE_SECONDS * 1000);
    try {
      // What is still being started registers more to release; its failure is told above.
      await starting.catch(() => {});
      await releasers.release();
      // The last of all: everything that was stopped may have ended a span.
      await (await tracing)?.stop(
        Math.max(0, Math.min(LAST_TRACES_MS, graceEnds - performance.now() - SPARE_MS)),
      );
      logger.info("stopped");
    } catch (error) {
      logger.error({ err: error }, "stopping failed");
      process.exitCode = 1;
    }
    clearTimeout(forced);
    exit(logger);
  }
}

/** Ends the process with `code`, or with what `process.exitCode` is by then. */
function exit(logger: Logger, code?: 1): void {
  if (code !== undefined) process.exitCode = code;
  // pino buffers: what it still holds would be lost with the process.
  logger.flush(() => process.exit());
  setTimeout(() => process.exit(), 500).unref();
}
