/**
 * Bidders over plain sockets: each has an auction for itself and bids more each time, as soon as it is answered, so that every bid is
 * accepted. Less work a request than any HTTP client, since client and server share the processors.
 */

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const DIGITS = 10;

export class Bidders implements Disposable {
  readonly #sockets: readonly Socket[];
  readonly #auctionIds: readonly string[];
  #amount = 10 ** (DIGITS - 1);
  readonly #withIds: boolean;

  private constructor(sockets: readonly Socket[], auctionIds: readonly string[], withIds: boolean) {
    this.#sockets = sockets;
    this.#auctionIds = auctionIds;
    this.#withIds = withIds;
  }

  /** @param withIds whether each bid brings its own id, as one does that may be sent again */
  static async connect(url: string, auctionIds: readonly string[], withIds: boolean): Promise<Bidders> {
    const { port, hostname } = new URL(url);
    const sockets = auctionIds.map(() => connect(Number(port), hostname).setNoDelay());
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    return new Bidders(sockets, auctionIds, withIds);
  }

  /** Bids answered in so many seconds, a second; @throws Error when one was not answered by 201 */
  async run(seconds: number): Promise<number> {
    const began = performance.now();
    const until = began + seconds * 1000;
    const counts = await Promise.all(this.#sockets.map((socket, at) => this.#bidOn(socket, at, until)));
    const bids = counts.reduce((sum, count) => sum + count, 0);
    return bids / ((performance.now() - began) / 1000);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #bidOn(socket: Socket, at: number, until: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const id = this.#withIds ? `,"bid_id":"${randomUUID()}"` : "";
    const length = `{"bidder_id":"bidder-1","amount":${"1".repeat(DIGITS)}${id}}`.length;
    const head =
      `POST /auctions/${this.#auctionIds[at]}/bids HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n{"bidder_id":"bidder-1","amount":`;
    let answered = 0;
    let received = "";
    const send = () => {
      this.#amount += 1;
      const own = this.#withIds ? `,"bid_id":"${randomUUID()}"` : "";
      socket.write(`${head}${this.#amount}${own}}`);
    };
    const finish = (error?: Error) => {
      socket.off("data", onData);
      if (error) reject(error);
      else resolve(answered);
    };
    const onData = (chunk: Buffer) => {
      received += chunk.toString("latin1");
      const end = received.indexOf("\r\n\r\n");
      if (end === -1) return;
      const body = Number(/content-length: (\d+)/i.exec(received)?.[1]);
      if (received.length < end + 4 + body) return;
      if (!received.startsWith("HTTP/1.1 201")) return finish(new Error(`Not accepted: ${received}`));
      received = "";
      answered += 1;
      if (performance.now() >= until) finish();
      else send();
    };
    socket.on("data", onData);
    send();
    return promise;
  }
}
