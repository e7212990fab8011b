/**
 * One watcher: a WebSocket, and the bytes that wait for it. Frames are written to the connection itself: `ws` writes its own
 * (pong, close) whole and at once, so that neither comes in the middle of the other.
 */

import type { Duplex } from "node:stream";
import { WebSocket } from "ws";

export const closeCodes = {
  /** The server is stopping. */
  goingAway: 1001,
  /** What was sent is no longer true; connect again for what is. */
  serviceRestart: 1012,
} as const;

/** Why a watcher was cut off. */
export type CutOff = "buffer" | "silent";

export interface WatcherOptions {
  readonly mostBufferedBytes: number;
  /** Once. */
  readonly onClose: () => void;
  readonly onCutOff: (why: CutOff) => void;
}

export class Watcher {
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #options: WatcherOptions;
  /** What it was sent last. */
  told: object | undefined;
  #answered = true;

  /** @param socket under `webSocket` */
  constructor(webSocket: WebSocket, socket: Duplex, options: WatcherOptions) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#options = options;
    webSocket.once("close", options.onClose);
    // Frames that are too large or not right are answered by `ws` with the code that says so; a broken connection is closed anyway.
    webSocket.on("error", () => {});
    webSocket.on("pong", () => {
      this.#answered = true;
    });
    // Answered here, since pings that are sent and whose pongs are never read would fill the memory.
    webSocket.on("ping", (data) => {
      if (webSocket.readyState !== WebSocket.OPEN) return;
      this.#answered = true;
      if (this.#hasRoom(data.length)) webSocket.pong(data);
    });
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** @returns whether it was sent: a watcher that does not read is cut off instead */
  send(frame: Buffer): boolean {
    if (this.#webSocket.readyState !== WebSocket.OPEN || !this.#hasRoom(frame.length)) return false;
    this.#socket.write(frame);
    return true;
  }

  /** Asks whether it is still there, and cuts it off when it did not answer the last time. */
  ping(): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    if (!this.#answered) {
      this.#cutOff("silent");
      return;
    }
    this.#answered = false;
    if (this.#hasRoom(0)) this.#webSocket.ping();
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason);
  }

  /** At once, and what waits is thrown away. */
  terminate(): void {
    this.#webSocket.terminate();
  }

  #hasRoom(bytes: number): boolean {
    if (this.bufferedBytes + bytes <= this.#options.mostBufferedBytes) return true;
    this.#cutOff("buffer");
    return false;
  }

  #cutOff(why: CutOff): void {
    this.#options.onCutOff(why);
    this.terminate();
  }
}
