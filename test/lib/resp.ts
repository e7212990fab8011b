/** The little of Redis' protocol (RESP2) that the suites need: commands out, replies in, in order. */

import { connect, type Socket } from "node:net";

export type Reply = string | number | null | Reply[];

const CONNECT_MS = 3000;

/** An error reply, such as `OOM command not allowed when used memory > 'maxmemory'`. */
export class RedisError extends Error {
  override readonly name = "RedisError";
}

export class RespClient implements Disposable {
  readonly #socket: Socket;
  readonly #waiting: PromiseWithResolvers<Reply>[] = [];
  #unread = Buffer.alloc(0);
  #broken: Error | undefined;

  static async open(port: number): Promise<RespClient> {
    const socket = connect({ host: "127.0.0.1", port, timeout: CONNECT_MS });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
      socket.once("timeout", () => reject(new Error(`No connection within ${CONNECT_MS} ms`)));
    });
    return new RespClient(socket.setTimeout(0).setNoDelay());
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("error", (error) => this.#break(error));
    socket.on("close", () => this.#break(new Error("The connection was closed")));
  }

  /** @throws RedisError for an error reply; the socket's error when the connection breaks before it */
  async send(...words: readonly (string | Buffer)[]): Promise<Reply> {
    if (this.#broken) throw this.#broken;
    const waiting = Promise.withResolvers<Reply>();
    this.#waiting.push(waiting);
    this.#socket.write(`*${words.length}\r\n`);
    for (const word of words) {
      this.#socket.write(`$${Buffer.byteLength(word)}\r\n`);
      this.#socket.write(word);
      this.#socket.write("\r\n");
    }
    return await waiting.promise;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #break(error: Error): void {
    this.#broken ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#broken);
  }

  #read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    for (;;) {
      const parsed = parse(this.#unread, 0);
      if (!parsed) return;
      this.#unread = this.#unread.subarray(parsed.end);
      const waiting = this.#waiting.shift();
      if (parsed.value instanceof RedisError) waiting?.reject(parsed.value);
      else waiting?.resolve(parsed.value);
    }
  }
}

/** Undefined while the reply is not yet there as a whole. */
function parse(bytes: Buffer, at: number): { value: Reply | RedisError; end: number } | undefined {
  const lineEnd = bytes.indexOf("\r\n", at);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString("utf8", at + 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(bytes[at] ?? 0)) {
    case "+":
      return { value: line, end: next };
    case "-":
      return { value: new RedisError(line), end: next };
    case ":":
      return { value: Number(line), end: next };
    case "$": {
      const length = Number(line);
      if (length < 0) return { value: null, end: next };
      if (bytes.length < next + length + 2) return undefined;
      return { value: bytes.toString("utf8", next, next + length), end: next + length + 2 };
    }
    case "*":
      return parseArray(bytes, next, Number(line));
    default:
      throw new Error(`Not a reply: ${line}`);
  }
}

function parseArray(bytes: Buffer, at: number, count: number) {
  if (count < 0) return { value: null, end: at };
  const items: Reply[] = [];
  let end = at;
  for (let n = 0; n < count; n += 1) {
    const item = parse(bytes, end);
    if (!item) return undefined;
    if (item.value instanceof RedisError) throw item.value;
    items.push(item.value);
    end = item.end;
  }
  return { value: items, end };
}
