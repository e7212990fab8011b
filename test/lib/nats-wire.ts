/** The little of NATS' protocol that the suites need: a request to a subject, and its one answer. */

import { randomUUID } from "node:crypto";
import { connect, type Socket } from "node:net";

const CONNECT_MS = 3000;

export class NatsWire implements Disposable {
  readonly #socket: Socket;
  readonly #inbox = `_INBOX.${randomUUID()}`;
  readonly #waiting = new Map<string, PromiseWithResolvers<string>>();
  #unread = Buffer.alloc(0);
  #broken: Error | undefined;

  static async open(port: number): Promise<NatsWire> {
    const socket = connect({ host: "127.0.0.1", port, timeout: CONNECT_MS });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
      socket.once("timeout", () => reject(new Error(`No connection within ${CONNECT_MS} ms`)));
    });
    return new NatsWire(socket.setTimeout(0).setNoDelay());
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("error", (error) => this.#break(error));
    socket.on("close", () => this.#break(new Error("The connection was closed")));
    socket.write('CONNECT {"verbose":false,"headers":false,"lang":"node","version":"0"}\r\n');
    socket.write(`SUB ${this.#inbox}.* 1\r\n`);
  }

  /** @throws Error with what the server says against it, or when the connection breaks before the answer */
  async request(subject: string, payload = ""): Promise<string> {
    if (this.#broken) throw this.#broken;
    const reply = `${this.#inbox}.${randomUUID()}`;
    const waiting = Promise.withResolvers<string>();
    this.#waiting.set(reply, waiting);
    this.#socket.write(`PUB ${subject} ${reply} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
    return await waiting.promise;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #break(error: Error): void {
    this.#broken ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#broken);
    this.#waiting.clear();
  }

  #read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    for (;;) {
      const end = this.#unread.indexOf("\r\n");
      if (end < 0) return;
      const line = this.#unread.toString("utf8", 0, end);
      const [, subject = "", length] = /^MSG (\S+) 1 +(?:\S+ +)?(\d+)$/.exec(line) ?? [];
      const start = end + 2;
      const next = length === undefined ? start : start + Number(length) + 2;
      if (this.#unread.length < next) return;
      if (length !== undefined) this.#answer(subject, this.#unread.toString("utf8", start, next - 2));
      this.#unread = this.#unread.subarray(next);
      if (line === "PING") this.#socket.write("PONG\r\n");
      if (line.startsWith("-ERR")) this.#break(new Error(line));
    }
  }

  #answer(subject: string, payload: string): void {
    this.#waiting.get(subject)?.resolve(payload);
    this.#waiting.delete(subject);
  }
}
