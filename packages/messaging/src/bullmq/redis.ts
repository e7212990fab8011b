/**
 * The connection to Redis that a broker's commands share. Every command is bounded in time and nothing is sent while Redis
 * is away: ioredis by itself would queue it up for as long as that lasts.
 */

import { Redis, type RedisOptions } from "ioredis";
import { BrokerUnavailable } from "../errors.ts";

const CONNECT_MS = 2000;
/** How long a call waits for a connection that is being made. Together with an answer it is less than five seconds. */
const READY_MS = 2000;
const ANSWER_MS = 2900;
const RECONNECT_MS = { first: 50, most: 1000 };

export class BrokerRedis implements AsyncDisposable {
  readonly client: Redis;
  #lastError: Error | undefined;
  #becomingReady: Promise<void> | undefined;
  /** That nothing is evicted, found out once a connection. */
  #checked: Promise<void> | undefined;

  /** Connects when it is first used. */
  constructor(url: string) {
    this.client = new CommandClient(url, {
      lazyConnect: true,
      connectTimeout: CONNECT_MS,
      commandTimeout: ANSWER_MS,
      // Required by BullMQ: what interrupts a command is its own time-out.
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(RECONNECT_MS.most, RECONNECT_MS.first * 2 ** Math.min(times, 10)),
    });
    this.client.on("error", (error) => {
      this.#lastError = error;
    });
    this.client.on("close", () => {
      this.#checked = undefined;
    });
  }

  /**
   * Resolves when Redis answers and evicts nothing.
   * @throws BrokerUnavailable
   */
  async usable(): Promise<void> {
    if (this.client.status !== "ready") await this.#ready();
    this.#checked ??= this.#check().catch((error: unknown) => {
      this.#checked = undefined;
      throw error;
    });
    await this.#checked;
  }

  /** Closes the connection, whatever is on its way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.client.disconnect();
  }

  #ready(): Promise<void> {
    this.#becomingReady ??= this.#whenReady().finally(() => {
      this.#becomingReady = undefined;
    });
    return this.#becomingReady;
  }

  async #whenReady(): Promise<void> {
    const { client } = this;
    if (client.status === "end") throw new BrokerUnavailable("The connection to Redis has been closed");
    const ready = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => ready.resolve(false), READY_MS);
    const settle = () => ready.resolve(client.status === "ready");
    client.once("ready", settle).once("end", settle);
    // Its own retries go on when it rejects.
    if (client.status === "wait") client.connect().catch(() => {});
    try {
      if (await ready.promise) return;
    } finally {
      clearTimeout(timer);
      client.off("ready", settle).off("end", settle);
    }
    throw new BrokerUnavailable(`Redis cannot be reached: ${nameOf(this.#lastError)}`, {
      cause: this.#lastError,
    });
  }

  async #check(): Promise<void> {
    const memory = await this.client.info("memory").catch((cause: unknown) => {
      throw new BrokerUnavailable(`Redis does not answer: ${nameOf(cause)}`, { cause });
    });
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
    if (policy === undefined || policy === "noeviction") return;
    throw new BrokerUnavailable(
      `Redis may evict queued messages when it is full: its maxmemory-policy is ${policy}. Set it to noeviction: ` +
        "redis-cli config set maxmemory-policy noeviction, and the same in its configuration.",
    );
  }
}

/** A copy of it, made for a blocking command, waits as long as that blocks. */
class CommandClient extends Redis {
  override duplicate(override?: Partial<RedisOptions>): Redis {
    const { commandTimeout: _, ...options } = this.options;
    const settings = { ...options, lazyConnect: false, ...override };
    return new Redis(settings as RedisOptions & { replyMapping?: "legacy" });
  }
}

/** What to call an error in one word or a short line. */
export function nameOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: string };
  return typeof code === "string" ? code : message || "no answer";
}
