/**
 * The connection to NATS. It is made in the background and made again for ever, so that a service starts and works while NATS is
 * away. Nothing is to be sent meanwhile: the client would keep it, and sends what it kept to a server that may have lost its disk.
 *
 * - **epoch**: counts the connections, 1 the first; what came on one must not be acknowledged on another.
 */

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { DependencyUnavailable, type Logger } from "@parallax/service";

export interface NatsOptions {
  /** Such as nats://127.0.0.1:4222. */
  readonly url: string;
  /** What the server's monitoring calls this client. */
  readonly name: string;
  readonly logger: Logger;
}

const CONNECT_MS = 2000;
const RETRY_MS = { first: 100, most: 1000 };
/** After a connection that stood for so long, one begins anew to try and to tell. */
const LASTED_MS = 1000;
/** A server that answers no ping for so long, twice, is held to be gone. */
const PING_MS = 5000;
const FLUSH_MS = 1000;

export class NatsLink implements AsyncDisposable {
  readonly #options: NatsOptions;
  readonly #changes = new EventTarget();
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  #connection: NatsConnection | undefined;
  #connected = false;
  #epoch = 0;
  /** Of this epoch. */
  #lost = new AbortController();
  #lastError: unknown;

  /** Begins to connect at once. */
  constructor(options: NatsOptions) {
    this.#options = options;
    this.#lost.abort(this.#unavailable());
    this.#done = this.#run();
  }

  get connected(): boolean {
    return this.#connected;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /**
   * The one connection, whether or not it stands at the moment. Subscriptions to it outlast a reconnect.
   * @throws DependencyUnavailable before there has been one
   */
  get connection(): NatsConnection {
    if (!this.#connection) throw this.#unavailable();
    return this.#connection;
  }

  /** Resolves when connected. @throws the signal's reason */
  async ready(signal: AbortSignal): Promise<NatsConnection> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    while (!this.#connected) {
      either.throwIfAborted();
      await once(this.#changes, "change", { signal: either }).catch(() => {});
    }
    return this.connection;
  }

  /** Aborts when the connection of this epoch is lost or closed. */
  lost(epoch: number): AbortSignal {
    return epoch === this.#epoch ? this.#lost.signal : AbortSignal.abort(this.#unavailable());
  }

  /** @throws DependencyUnavailable unless the server answers */
  async check(): Promise<void> {
    if (!this.#connected) throw this.#unavailable();
    await this.connection.rtt().catch((cause: unknown) => {
      throw this.#unavailable(cause);
    });
  }

  /** Sends what is to be sent, waiting a second for it at the most. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#connected) {
      const flushed = this.connection.flush().catch(() => {});
      await Promise.race([flushed, sleep(FLUSH_MS, undefined, { ref: false })]);
    }
    this.#closing.abort(new DependencyUnavailable("The connection to NATS has been closed"));
    await this.#connection?.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let attempt = 0; !signal.aborted; ) {
      const connection = await this.#connect().catch((error: unknown) => {
        this.#lastError = error;
        if (attempt === 0) this.#options.logger.warn({ err: error }, "NATS does not answer; trying on");
        return undefined;
      });
      const connectedAt = performance.now();
      if (connection && signal.aborted) await connection.close();
      else if (connection) await this.#watch(connection);
      const lasted = connection !== undefined && performance.now() - connectedAt >= LASTED_MS;
      if (lasted) attempt = 0;
      const pause = Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** Math.min(attempt, 10));
      await sleep(pause, undefined, { signal }).catch(() => {});
      if (!lasted) attempt += 1;
    }
  }

  #connect(): Promise<NatsConnection> {
    return connect({
      servers: this.#options.url,
      name: this.#options.name,
      timeout: CONNECT_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RETRY_MS.first,
      reconnectDelayHandler: () => RETRY_MS.first + Math.random() * RETRY_MS.first,
      pingInterval: PING_MS,
      maxPingOut: 2,
      // It must not give up; a password may be mended at the server.
      ignoreAuthErrorAbort: true,
      // A stack for each request that may time out costs more than the request.
      noAsyncTraces: true,
    });
  }

  /** Until it is closed for good. */
  async #watch(connection: NatsConnection): Promise<void> {
    const { logger } = this.#options;
    this.#connection = connection;
    this.#become(true);
    const watching = (async () => {
      for await (const status of connection.status()) {
        if (status.type === "disconnect" || status.type === "staleConnection") {
          if (this.#connected) logger.warn("the connection to NATS is lost; trying on");
          this.#become(false);
        } else if (status.type === "reconnect") {
          logger.info("NATS is connected again");
          this.#become(true);
        } else if (status.type === "error") {
          logger.warn({ err: status.error }, "NATS reported an error");
        }
      }
    })();
    const error = await connection.closed();
    if (error) this.#lastError = error;
    this.#become(false);
    await watching.catch(() => {});
  }

  #become(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    if (connected) {
      this.#epoch += 1;
      this.#lost = new AbortController();
    } else {
      this.#lost.abort(this.#unavailable());
    }
    this.#changes.dispatchEvent(new Event("change"));
  }

  #unavailable(cause = this.#lastError) {
    return new DependencyUnavailable("NATS does not answer.", { cause, retryAfterSeconds: 5 });
  }
}
