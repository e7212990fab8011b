/** The HTTP server under the app: its address, its time-outs, its orderly end. */

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import {
  BadRequest,
  ExpectationFailed,
  HeadersTooLarge,
  RequestTimeout,
  type ServiceError,
} from "../errors.ts";
import { toProblem } from "./problem.ts";

export interface HttpServer {
  /** The bound port, known even when 0 was asked for. */
  readonly port: number;
  readonly url: string;
  /** Stops accepting, waits for the requests in flight, cuts what is left after `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** For tests, which do not wait as long as a server must. */
  readonly timeouts?: Timeouts;
  /** Connections at once, 12,000 unless told. */
  readonly maxConnections?: number;
  /**
   * Takes over the connections that are to become WebSockets; from then on they are its own, to be ended before `close` can
   * resolve. Without it, such a request is one like any other.
   */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Milliseconds. */
interface Timeouts {
  /** From a request's first byte to the end of its headers. */
  readonly headersMs: number;
  /** From a request's first byte to its last. */
  readonly requestMs: number;
  /** How often both are checked. */
  readonly checkEveryMs: number;
}

const KEEP_ALIVE_MS = 65_000;
const TIMEOUTS: Timeouts = { headersMs: 10_000, requestMs: 15_000, checkEveryMs: 1000 };
const SWEEP_MS = 50;
const MAX_CONNECTIONS = 12_000;
/** For the other side to read why, and to end the connection too. */
const LINGER_MS = 1000;

/** @throws the system's error (EADDRINUSE, EACCES, …) when the address cannot be bound */
export async function listen(callback: RequestListener, options: ListenOptions): Promise<HttpServer> {
  const { headersMs, requestMs, checkEveryMs } = options.timeouts ?? TIMEOUTS;
  const server = createServer(
    // A missing Host is answered by the app, as everything else is.
    {
      connectionsCheckingInterval: checkEveryMs,
      maxHeaderSize: 16 * 1024,
      requireHostHeader: false,
      // Whoever offers another protocol, as curl offers h2c, is answered in this one.
      shouldUpgradeCallback: ({ headers }) =>
        options.upgrade !== undefined && headers.upgrade?.toLowerCase() === "websocket",
    },
    callback,
  );
  // Above a load balancer's 60 s: the side that closes first must be the one that opens connections, else
  // a request can meet a closing socket and the balancer answers 502.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = headersMs;
  server.requestTimeout = requestMs;
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  if (options.upgrade) server.on("upgrade", options.upgrade);
  server.on("clientError", answerUnreadable);
  server.on("checkExpectation", answerExpectation);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
  const closeUnused = () => {
    server.closeIdleConnections();
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  };
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    port,
    url: `http://${host}:${port}`,
    async close(graceMs = 10_000) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      // Node closes the connections that are idle now. One that is kept becomes idle when its answer is out,
      // and one that has never sent a byte does not count as idle.
      const sweep = setInterval(closeUnused, SWEEP_MS);
      closeUnused();
      await closed;
      clearInterval(sweep);
      clearTimeout(cut);
      // The last answers are written down after the round of the event loop that sent them.
      await setImmediate();
    },
  };
}

/** What the HTTP parser refuses never reaches koa; it is answered here, in the same form. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  endWithProblem(socket, asServiceError(error));
}

/** Answers on a connection that no response object belongs to, and ends it. */
export function endWithProblem(socket: Duplex, error: ServiceError): void {
  const problem = toProblem(error);
  const body = JSON.stringify(problem);
  const { retryAfterSeconds, headers = {} } = error.details;
  const more = { ...headers, ...(retryAfterSeconds !== undefined && { "Retry-After": retryAfterSeconds }) };
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      "Content-Type: application/problem+json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...Object.entries(more).map(([name, value]) => `${name}: ${value}`),
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
  );
  // It may never end it, and no time-out of the server's is about such a connection.
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
  // Unread bytes would reset the connection before the answer is read.
  socket.resume();
}

/** `Expect: 100-continue` is met by Node itself; there is no other. */
function answerExpectation(request: IncomingMessage, response: ServerResponse): void {
  const problem = toProblem(new ExpectationFailed("Only 100-continue can be expected."));
  response.writeHead(problem.status, { "Content-Type": "application/problem+json", Connection: "close" });
  response.end(JSON.stringify(problem));
  request.resume();
}

function asServiceError(error: NodeJS.ErrnoException) {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return new HeadersTooLarge("The headers may have 16 KiB at the most.");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new RequestTimeout("The whole request did not arrive in time.");
    default:
      return new BadRequest("This is not an HTTP/1.1 request.");
  }
}
