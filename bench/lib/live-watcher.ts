/** Watchers of the broadcaster under measurement: what each is sent, and how late. */

import { once } from "node:events";
import { WebSocket } from "ws";
import { AUCTION_ID } from "../servers/broadcaster.ts";

export interface LiveWatcher extends Disposable {
  readonly frames: number;
  readonly bytes: number;
  readonly seq: number;
  /** Milliseconds from when a bid was told until it was here, of each price since the last `reset`. */
  readonly delays: readonly number[];
  readonly isOpen: boolean;
  reset(): void;
  /** Reads nothing any more. */
  stall(): void;
  /** Resolves once it has been cut off; what still waits is read for that. */
  gone(): Promise<void>;
}

export async function watchLive(url: string): Promise<LiveWatcher> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/auctions/${AUCTION_ID}/live`);
  let frames = 0;
  let bytes = 0;
  let seq = -1;
  let delays: number[] = [];
  socket.on("message", (data: Buffer) => {
    const now = performance.timeOrigin + performance.now();
    const message = JSON.parse(data.toString()) as { type: string; seq: number; bidder_id: string | null };
    // That nothing is new is no price.
    if (message.type === "tick") return;
    frames += 1;
    bytes += data.length;
    if (message.seq < seq) throw new Error(`seq went back from ${seq} to ${message.seq}`);
    seq = message.seq;
    if (message.type === "price") delays.push(now - Number(message.bidder_id));
  });
  socket.on("error", () => {});
  const closed = once(socket, "close");
  await once(socket, "open", { signal: AbortSignal.timeout(10_000) });
  return {
    get frames() {
      return frames;
    },
    get bytes() {
      return bytes;
    },
    get seq() {
      return seq;
    },
    get delays() {
      return delays;
    },
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    reset() {
      frames = 0;
      bytes = 0;
      delays = [];
    },
    stall: () => socket.pause(),
    async gone() {
      socket.resume();
      await closed;
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}
