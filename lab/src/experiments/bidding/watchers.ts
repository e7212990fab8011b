/**
 * Live subscribers of one auction, as browsers are: each on a connection of its own, that comes back when it is cut off. What they
 * are shown is kept as far as a verdict needs it: by watcher the last number and whether it ever went back, and all prices once.
 */

import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, buildConnector, WebSocket } from "undici";
import { z } from "zod";
import { LabError } from "../../cli/lab-error.ts";
import type { SeenLive } from "../../verdicts/bidding-evidence.ts";

const messageSchema = z.object({
  type: z.enum(["snapshot", "price", "ended"]),
  seq: z.int().min(0),
  highest: z.int().nullable(),
  /** Whose bid the highest is. */
  bidder_id: z.string().nullable(),
  /** Of a snapshot. */
  status: z.enum(["open", "ended"]).optional(),
  /** When it was so: milliseconds since the epoch, by Redis's clock. */
  at: z.iso
    .datetime()
    .transform((text) => Date.parse(text))
    .optional(),
});

export type LiveMessage = z.output<typeof messageSchema>;

/** What says nothing of the auction, only that the server is there; it is not counted. */
const tickSchema = z.object({ type: z.literal("tick") });
const readableSchema = z.union([messageSchema, tickSchema]);

/** Undefined for what is of another form. */
type Read = z.output<typeof readableSchema> | undefined;

export interface WatchersOptions {
  /** Origin of the broadcaster. */
  readonly url: string;
  readonly auctionId: string;
  readonly count: number;
  /** Ends the connecting. */
  readonly signal: AbortSignal;
  /** Names them in verdicts: "watcher-1", unless told. */
  readonly name?: string;
  /** With when it was there, in milliseconds since the epoch. */
  onMessage?(message: LiveMessage, receivedAt: number): void;
}

/** Of connecting one of them, in milliseconds. */
const PATIENCE_MS = 10_000;
const COME_BACK_MS = { least: 100, most: 2_000 };
/** For the closing handshake of all; after that they are cut. */
const CLOSING_MS = 2_000;
/** Connecting at the same time. */
const TOGETHER = 100;

export class Watchers implements AsyncDisposable {
  readonly #options: WatchersOptions;
  readonly #watchers: readonly Watcher[];
  readonly #agent: Agent;
  /** What undici gives no way to: a socket that is not read from, or that has to go. */
  readonly #sockets = new Set<Socket>();
  readonly #closing = new AbortController();
  readonly #prices = new Map<number, number | null>();
  readonly #bidders = new Map<number, string | null>();
  readonly #disputed = new Set<number>();
  /** A message goes to all watchers in the same bytes, and is parsed once. */
  #last: { readonly text: unknown; readonly message: Read } = { text: undefined, message: undefined };

  /**
   * Resolves once each has been told of the auction.
   * @throws LabError COMMAND_FAILED when one cannot be connected; the signal's reason
   */
  static async connect(options: WatchersOptions): Promise<Watchers> {
    const watchers = new Watchers(options);
    try {
      const left = watchers.#watchers.values();
      const connector = async () => {
        for (const watcher of left) await watcher.connect(options.signal);
      };
      await Promise.all(Array.from({ length: Math.min(TOGETHER, options.count) }, connector));
      return watchers;
    } catch (error) {
      await watchers[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(options: WatchersOptions) {
    this.#options = options;
    this.#agent = this.#ownAgent();
    const url = new URL(`/auctions/${encodeURIComponent(options.auctionId)}/live`, options.url);
    url.protocol = url.protocol.replace("http", "ws");
    const { name = "watcher" } = options;
    this.#watchers = Array.from({ length: options.count }, (_, at) => {
      const open = () => new WebSocket(url, { dispatcher: this.#agent });
      return new Watcher(`${name}-${at + 1}`, open, (text) => this.#read(text), this.#closing.signal);
    });
  }

  /** So far. */
  seen(): SeenLive {
    return {
      watchers: this.#watchers.map((watcher) => watcher.report()),
      prices: this.#prices,
      bidders: this.#bidders,
      disputed: this.#disputed,
    };
  }

  /** Whether all that are connected have been told of this number, or a later one. */
  reached(seq: number): boolean {
    return this.#watchers.every((watcher) => !watcher.connected || watcher.seq >= seq);
  }

  /** From now on none of them reads what it is sent, as in a browser that hangs: the kernel's buffers fill, then the server's. */
  stall(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const over = new AbortController();
    const late = sleep(CLOSING_MS, undefined, { signal: over.signal }).catch(() => {});
    await Promise.race([Promise.all(this.#watchers.map((watcher) => watcher.close())), late]);
    over.abort();
    for (const socket of this.#sockets) socket.destroy();
    await this.#agent.destroy();
  }

  #read(text: unknown): Read {
    if (text !== this.#last.text) this.#last = { text, message: parsed(text) };
    const { message } = this.#last;
    if (message === undefined || message.type === "tick") return message;
    const { seq, highest, bidder_id } = message;
    if (!this.#prices.has(seq)) {
      this.#prices.set(seq, highest);
      this.#bidders.set(seq, bidder_id);
    } else if (this.#prices.get(seq) !== highest || this.#bidders.get(seq) !== bidder_id) {
      this.#disputed.add(seq);
    }
    this.#options.onMessage?.(message, Date.now());
    return message;
  }

  #ownAgent(): Agent {
    const connect = buildConnector({ timeout: PATIENCE_MS });
    return new Agent({
      headersTimeout: PATIENCE_MS,
      connect: (options, callback) =>
        connect(options, (...result) => {
          const [, socket] = result;
          if (socket) {
            this.#sockets.add(socket);
            socket.once("close", () => this.#sockets.delete(socket));
          }
          callback(...result);
        }),
    });
  }
}

class Watcher {
  readonly #name: string;
  readonly #open: () => WebSocket;
  readonly #read: (text: unknown) => Read;
  readonly #closing: AbortSignal;
  #socket: WebSocket | undefined;
  #comingBack: Promise<void> | undefined;
  #messages = 0;
  #unreadable = 0;
  #message: LiveMessage | undefined;
  #wentBack = 0;
  #ended = false;

  constructor(name: string, open: () => WebSocket, read: (text: unknown) => Read, closing: AbortSignal) {
    this.#name = name;
    this.#open = open;
    this.#read = read;
    this.#closing = closing;
  }

  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  get seq(): number {
    return this.#message?.seq ?? -1;
  }

  report(): SeenLive["watchers"][number] {
    return {
      name: this.#name,
      connected: this.connected,
      messages: this.#messages,
      unreadable: this.#unreadable,
      seq: this.#message?.seq,
      highest: this.#message?.highest,
      wentBack: this.#wentBack,
      ended: this.#ended,
    };
  }

  /** Resolves with the first message, which the server sends unasked. */
  async connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const socket = this.#open();
    this.#socket = socket;
    const told = Promise.withResolvers<void>();
    let state: "waiting" | "let in" | "given up" = "waiting";
    let failure = "The connection was closed.";
    const fail = (why: string) => told.reject(notConnected(this.#name, why));
    const abort = () => told.reject(signal.reason);
    const patience = setTimeout(() => fail(`It was told nothing in ${PATIENCE_MS / 1000} s.`), PATIENCE_MS);
    signal.addEventListener("abort", abort, { once: true });
    socket.addEventListener("error", ({ message, error }) => {
      failure = message || String(error);
    });
    socket.addEventListener("message", ({ data }) => {
      if (state === "given up") return;
      state = "let in";
      this.#take(data);
      told.resolve();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (state === "let in") this.#comingBack = this.#comeBack();
      else fail(reason || `${failure} (${code})`);
    });
    try {
      await told.promise;
    } catch (error) {
      state = "given up";
      socket.close();
      throw error;
    } finally {
      clearTimeout(patience);
      signal.removeEventListener("abort", abort);
    }
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket && socket.readyState !== WebSocket.CLOSED) {
      const closed = new Promise((resolve) => socket.addEventListener("close", resolve, { once: true }));
      socket.close();
      await closed;
    }
    await this.#comingBack;
  }

  async #comeBack(): Promise<void> {
    let wait = COME_BACK_MS.least;
    while (!this.#closing.aborted) {
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal: this.#closing }).catch(() => {});
      try {
        await this.connect(this.#closing);
        return;
      } catch {
        wait = Math.min(wait * 2, COME_BACK_MS.most);
      }
    }
  }

  #take(text: unknown): void {
    const message = this.#read(text);
    if (message?.type === "tick") return;
    this.#messages += 1;
    if (message === undefined) {
      this.#unreadable += 1;
      return;
    }
    if (message.seq < this.seq) this.#wentBack += 1;
    this.#message = message;
    if (message.type === "ended" || message.status === "ended") this.#ended = true;
  }
}

function parsed(text: unknown): Read {
  try {
    return readableSchema.parse(JSON.parse(String(text)));
  } catch {
    return undefined;
  }
}

function notConnected(name: string, reason: string): LabError {
  return new LabError("COMMAND_FAILED", `The live prices could not be watched: ${name} was not let in.`, {
    reason,
    remedy: "See `make status` and `make logs`.",
  });
}
