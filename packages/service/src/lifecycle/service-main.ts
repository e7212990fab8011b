/**
 * The life of a service's process: read the environment, start, wait for a signal, drain, exit.
 *
 * Exit codes: 0 after an orderly stop, 1 when starting or stopping failed or a second signal forced the
 * end, 78 (EX_CONFIG of sysexits.h) when the configuration is wrong.
 */

import { ConfigError } from "../config.ts";
import { createLogger, type Logger } from "../telemetry/logger.ts";
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
export interface ServiceConfig {
  readonly LOG_LEVEL: string;
  readonly SHUTDOWN_GRACE_SECONDS: number;
}

export interface ServiceParts {
  readonly logger: Logger;
  readonly releasers: Releasers;
}

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
  let starting: Promise<unknown> = Promise.resolve();
  const end = once(async (reason: string, failure?: unknown) => {
    if (failure === undefined) logger.info({ reason }, "stopping");
    else logger.fatal({ reason, err: failure }, "stopping after a failure");
    const forced = setTimeout(() => {
      logger.error("still not stopped when the grace period ended");
      exit(logger, 1);
    }, config.SHUTDOWN_GRACE_SECONDS * 1000);
    let code = failure === undefined ? 0 : 1;
    try {
      // What is still being started registers more to release; a failure of it is `failure` already.
      await starting.catch(() => {});
      await releasers.release();
      logger.info("stopped");
    } catch (error) {
      logger.error({ err: error }, "stopping failed");
      code = 1;
    }
    clearTimeout(forced);
    exit(logger, code);
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      process.once(signal, () => {
        logger.error({ signal }, "second signal: ending at once");
        exit(logger, 1);
      });
      void end(signal);
    });
  }
  process.once("uncaughtException", (error) => void end("uncaught exception", error));
  process.once("unhandledRejection", (error) => void end("unhandled rejection", error));
  const started = definition.start(config, { logger, releasers });
  starting = started;
  try {
    logger.info(await started, "started");
  } catch (error) {
    await end("start failed", error);
  }
}

function once<A extends unknown[]>(run: (...args: A) => Promise<void>): (...args: A) => Promise<void> {
  let running: Promise<void> | undefined;
  return (...args) => {
    running ??= run(...args);
    return running;
  };
}

function exit(logger: Logger, code: number): void {
  // pino buffers: what it still holds would be lost with the process.
  logger.flush(() => process.exit(code));
  setTimeout(() => process.exit(code), 500).unref();
}
