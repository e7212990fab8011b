/**
 * A watcher that is let in and then reads nothing, as a page in a browser that hangs. A connection of its own rather than one of `Watchers`, since it has to
 * find out that it was cut off without reading.
 */

import { randomBytes } from "node:crypto";
import { type ClientRequest, request } from "node:http";
import type { Duplex } from "node:stream";

const PATIENCE_MS = 10_000;
const KNOCK_MS = 500;
/** An empty text message, masked as a client's must be (RFC 6455, 5.2). Nobody takes it for a pong. */
const KNOCK = Buffer.from([0x81, 0x80, 0, 0, 0, 0]);

export class Stalled {
  /** Milliseconds from being let in to being cut off; undefined while it is not. */
  cutOffMs: number | undefined;

  /**
   * Resolves once it is let in.
   * @param url of the WebSocket, with http
   * @throws Error when it is not
   */
  static async connect(url: string): Promise<Stalled> {
    const asked = request(url, {
      timeout: PATIENCE_MS,
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": randomBytes(16).toString("base64"),
      },
    });
    return new Stalled(await upgraded(asked));
  }

  private constructor(socket: Duplex) {
    const since = performance.now();
    socket.pause();
    // Who reads nothing does not see that the other side has gone; what it sends then is answered with a reset.
    const knocking = setInterval(() => socket.write(KNOCK), KNOCK_MS);
    socket.on("error", () => {});
    socket.once("close", () => {
      clearInterval(knocking);
      this.cutOffMs = performance.now() - since;
    });
  }
}

function upgraded(asked: ClientRequest): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    asked.once("upgrade", (_, socket) => resolve(socket));
    asked.once("response", ({ statusCode }) => {
      asked.destroy();
      reject(new Error(`It was answered ${statusCode}.`));
    });
    asked.once("timeout", () => asked.destroy(new Error(`There was no answer in ${PATIENCE_MS} ms.`)));
    asked.once("error", reject);
    asked.end();
  });
}
