/**
 * The life of a service's process: read the environment, start, wait for a signal, drain, exit.
 *
 * Exit codes: 0 after an orderly stop, 1 when starting or stopping failed or a second signal forced the
 * end, 78 (EX_CONFIG of sysexits.h) when the configuration is wrong.
 */

import { ConfigError } from "../config.ts";
import { createLogger, type Logger } from "../telemetry/logger.ts";

/** Something that runs and can be stopped; `stop` finishes or hands back what is in hand. */
export interface Running {
  /** What to log as started, for example the bound address. */
  readonly info: Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

export interface ServiceConfig {
  readonly logLevel: string;
  /** Seconds from the first signal until the process ends by itself whatever is still going on. */
  readonly shutdownGraceSeconds: number;
}

export interface ServiceDefinition<C extends ServiceConfig> {
  readonly name: string;
  configure(env: NodeJS.ProcessEnv): C;
  start(config: C, logger: Logger): Promise<Running>;
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
  const logger = createLogger({ name: definition.name, level: config.logLevel });
  let starting: Promise<Running> | undefined;
  const end = once(async (reason: string, failure?: unknown) => {
    if (failure === undefined) logger.info({ reason }, "stopping");
    else logger.fatal({ reason, err: failure }, "stopping after a failure");
    const forced = setTimeout(() => {
      logger.error("still not stopped when the grace period ended");
      exit(logger, 1);
    }, config.shutdownGraceSeconds * 1000);
    try {
      await (await starting)?.stop();
      logger.info("stopped");
      clearTimeout(forced);
      exit(logger, failure === undefined ? 0 : 1);
    } catch (error) {
      // A start that failed has been told already, as the failure that brought us here.
      if (error !== failure) logger.error({ err: error }, "stopping failed");
      exit(logger, 1);
    }
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
  starting = definition.start(config, logger);
  try {
    logger.info((await starting).info, "started");
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
