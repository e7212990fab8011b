/** Logs: one JSON line each on standard output, buffered so that logging never blocks a request. */

import { type DestinationStream, type Logger, pino } from "pino";

import { isoNow } from "./iso-now.ts";
import { LineBatches } from "./line-batches.ts";

export type { Logger };

export interface LoggerOptions {
  readonly name: string;
  readonly level: string;
  /** For tests; standard output otherwise. */
  readonly destination?: DestinationStream;
}

/**
 * A pino logger. Lines are written at 32 KiB or after 250 ms, whichever comes first: a SIGKILL can take the
 * last quarter of a second of logs, and nothing else.
 */
export function createLogger(options: LoggerOptions): Logger {
  const destination = options.destination ?? new LineBatches(1);
  return pino(
    {
      name: options.name,
      level: options.level,
      base: { name: options.name, pid: process.pid },
      timestamp: () => `,"time":"${isoNow()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
