/** Helpers of this package's tests: an app on a real port, raw bytes on a real socket, logs kept in memory. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { silentLogger } from "@parallax/testkit";
import {
  createApp,
  createLogger,
  createMetrics,
  type Logger,
  listen,
  type ReadinessCheck,
  Router,
  type ServiceState,
} from "../src/index.ts";

/** Whoever can register a cleanup: a tap test. */
export interface Test {
  teardown(release: () => unknown): void;
}

export interface ServeOptions {
  readonly readiness?: readonly ReadinessCheck[];
  readonly maxInFlight?: number;
  readonly checkTimeoutMs?: number;
  readonly logger?: Logger;
}

/** An app with the routes that `addRoutes` adds, on a free port until the test ends. */
export async function serve(
  t: Test,
  addRoutes: (router: Router<ServiceState>) => void = () => {},
  options: ServeOptions = {},
) {
  const router = new Router<ServiceState>();
  addRoutes(router);
  const { readiness = [], logger = silentLogger() } = options;
  const metrics = createMetrics("test");
  const app = createApp({
    ...options,
    logger,
    metrics,
    router,
    readiness,
  });
  const server = await listen(app.callback, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.close(100));
  return { app, metrics, port: server.port, url: server.url, server };
}

/** A socket to `port` that has sent `bytes`, and everything that was received over it until its end. */
export async function rawSocket(t: Test, port: number, bytes: string | Buffer) {
  const socket: Socket = connect({ port, host: "127.0.0.1" });
  t.teardown(() => socket.destroy());
  let received = "";
  let reset: Error | undefined;
  socket.setEncoding("latin1");
  socket.on("data", (text) => {
    received += text;
  });
  socket.on("error", (error) => {
    reset = error;
  });
  const ended = new Promise<string>((resolve, reject) => {
    socket.on("close", () => (reset ? reject(reset) : resolve(received)));
  });
  ended.catch(() => {});
  await once(socket, "connect");
  socket.write(bytes);
  return {
    socket,
    /** Rejects when the connection was reset. */
    ended,
    get received() {
      return received;
    },
  };
}

/** The status, headers and body of one HTTP/1.1 response as it came over the wire. */
export function parseResponse(text: string) {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(first.split(" ")[1]), headers, body: rest.join("\r\n\r\n") };
}

/** A logger whose lines can be read back. */
export function memoryLogger(level = "trace") {
  const text: string[] = [];
  const logger = createLogger({
    name: "test",
    level,
    destination: { write: (line: string) => void text.push(line) },
  });
  return {
    logger,
    text: () => text.join(""),
    lines: (): Record<string, unknown>[] => text.map((line) => JSON.parse(line)),
  };
}
