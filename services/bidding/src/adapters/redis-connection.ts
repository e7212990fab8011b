/**
 * A connection to Redis for commands with an effect: bounded in time, nothing is kept for later while Redis is away, and
 * nothing is sent twice. It connects in the background and again for ever.
 *
 * A command that was on its way when the connection broke may have had its effect: it fails with OutcomeUnknown. All
 * others fail with DependencyUnavailable.
 */

import { DependencyUnavailable, type Logger } from "@parallax/service";
import { Redis, type RedisOptions, ReplyError } from "ioredis";
import { OutcomeUnknown } from "../domain/ports.ts";

/** Without a byte from Redis for so long while it owes an answer, the connection is given up. */
const ANSWER_MS = 1500;
const CONNECT_MS = 1500;
const RECONNECT_MS = { first: 25, most: 500 };

export interface ConnectionOptions {
  readonly url: string;
  /** What Redis shows beside the connection. */
  readonly name: string;
  /** Sends the commands of one round of the event loop together. BullMQ cannot use such a connection. */
  readonly autoPipelining?: boolean;
}

export function connectRedis({ url, name, autoPipelining = true }: ConnectionOptions, logger: Logger): Redis {
  const redis = new Redis(url, {
    connectionName: name,
    enableAutoPipelining: autoPipelining,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // None: with any other number, what was on its way when the connection broke would neither be resent nor fail.
    maxRetriesPerRequest: 0,
    socketTimeout: ANSWER_MS,
    connectTimeout: CONNECT_MS,
    reconnectOnError,
    retryStrategy: (times) => Math.min(RECONNECT_MS.most, RECONNECT_MS.first * 2 ** Math.min(times, 10)),
  } satisfies RedisOptions);
  tellOutages(redis, logger);
  return redis;
}

/** After a failover the old primary lives on as a replica; its name leads to the new one. */
export function reconnectOnError(error: Error): boolean {
  return error.message.startsWith("READONLY");
}

/** Once when it begins and once when it is over. */
function tellOutages(redis: Redis, logger: Logger): void {
  let away: boolean | undefined;
  let reason: Error | undefined;
  redis.on("error", (error) => {
    reason = error;
  });
  redis.on("close", () => {
    if (away || redis.status === "end") return;
    away = true;
    logger.warn({ err: reason }, "the connection to Redis is lost; trying on");
  });
  redis.on("ready", () => {
    if (away) logger.info("the connection to Redis is back");
    away = false;
    reason = undefined;
  });
}

/** Fails at once, before anything is sent, where there is no connection. @throws DependencyUnavailable */
export function requireReady(redis: Redis): void {
  if (redis.status !== "ready") throw away();
}

/**
 * What a failed command means.
 * @returns DependencyUnavailable where it had no effect, OutcomeUnknown where it may have had one, `error` itself where
 * neither it nor Redis is to blame but this program
 */
export function asOutage(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof ReplyError) {
    return REFUSED.test(error.message) ? away(error, "Redis takes no bids now; try again.") : error;
  }
  return NOT_SENT.test(error.message)
    ? away(error)
    : new OutcomeUnknown("The connection to Redis broke before it answered.", { cause: error });
}

/** What may be done twice, such as a read: that its outcome is not known says no more than that it has to be asked again. @throws DependencyUnavailable */
export async function repeatable<T>(redis: Redis, ask: () => Promise<T>): Promise<T> {
  requireReady(redis);
  try {
    return await ask();
  } catch (error) {
    const outage = asOutage(error);
    throw outage instanceof OutcomeUnknown ? away(outage) : outage;
  }
}

/** Replies of a server that is up and will not have the command: none of them comes after a write of a script. */
const REFUSED = /^(OOM|LOADING|READONLY|MASTERDOWN|MISCONF|NOREPLICAS|BUSY|CLUSTERDOWN|TRYAGAIN)\b/;
const NOT_SENT = /^Stream isn't writeable/;

function away(cause?: Error, detail = "Redis does not answer; try again."): Error {
  return new DependencyUnavailable(detail, { retryAfterSeconds: 1, ...(cause && { cause }) });
}

/**
 * Resolves where Redis answers and does not evict.
 * @throws Error otherwise
 */
export async function checkRedis(redis: Redis): Promise<void> {
  requireReady(redis);
  const memory = await redis.info("memory");
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (policy === undefined || policy === "noeviction") return;
  throw new Evicts(
    `Redis may throw auctions away when it is full: set its maxmemory-policy, ${policy}, to noeviction.`,
  );
}

class Evicts extends Error {
  readonly code = "REDIS_EVICTS";
}
