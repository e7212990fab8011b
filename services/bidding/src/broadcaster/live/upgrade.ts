/**
 * Opening a WebSocket: `GET /auctions/{id}/live`. Who may not watch is told so as a problem document before anything is upgraded:
 * 404 for another path or an auction that is not there, 403 for a page of another origin, 503 when there are too many watchers, the
 * auction cannot be read, or the server is stopping.
 */

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import {
  BadRequest,
  endWithProblem,
  Forbidden,
  Internal,
  type Logger,
  NotFound,
  Overloaded,
  RouteNotFound,
  ServiceError,
} from "@parallax/service";
import { type ServerOptions, WebSocketServer } from "ws";
import { z } from "zod";
import type { Broadcast, Place } from "./broadcast.ts";
import type { Refusal } from "./metrics.ts";
import { mayWatch } from "./origin.ts";
import { Watcher } from "./watcher.ts";

export interface UpgradeParts {
  readonly broadcast: Broadcast;
  readonly logger: Logger;
  readonly allowedOrigins: readonly string[];
  readonly mostWatchers: number;
  readonly mostBufferedBytes: number;
}

export interface Upgrade {
  (request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** From now on everybody is refused. */
  drain(): void;
}

/** Watchers have nothing to say; what they say all the same is read and thrown away. */
const MOST_PAYLOAD = 1024;
/** Milliseconds for the other side of a close. */
const CLOSE_MS = 2000;
/** Seconds; spreads those who come back. */
const COME_BACK = 2;

class Refused extends Error {
  readonly why: Refusal;
  readonly problem: ServiceError;
  constructor(why: Refusal, problem: ServiceError) {
    super(problem.message, { cause: problem });
    this.why = why;
    this.problem = problem;
  }
}

export function createUpgrade(parts: UpgradeParts): Upgrade {
  const { broadcast, logger } = parts;
  const options = {
    noServer: true,
    clientTracking: false,
    // Compression would cost memory for each watcher, and the same bytes could not go to all.
    perMessageDeflate: false,
    maxPayload: MOST_PAYLOAD,
    autoPong: false,
    // Not in the types yet.
    closeTimeout: CLOSE_MS,
  } as const satisfies ServerOptions & { closeTimeout: number };
  const server = new WebSocketServer(options);
  server.on("wsClientError", (error, socket) => {
    broadcast.metrics.refused("handshake");
    endWithProblem(socket, new BadRequest(`This is no WebSocket handshake: ${error.message}.`));
  });
  let draining = false;
  /** Those who watch, and those who are about to. */
  let inside = 0;

  /** @throws Refused */
  async function admit(request: IncomingMessage): Promise<Place> {
    if (draining) throw refusedFor("stopping", "The server is stopping.");
    const auctionId = auctionOf(request.url ?? "");
    const { origin, host } = request.headers;
    if (!mayWatch(origin, host, parts.allowedOrigins)) {
      throw new Refused("origin", new Forbidden("Pages of this origin may not watch (ALLOWED_ORIGINS)."));
    }
    if (inside > parts.mostWatchers) {
      throw refusedFor("watchers", `${parts.mostWatchers} are watching, which is the limit.`);
    }
    try {
      return await broadcast.enter(auctionId);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw new Refused(error instanceof NotFound ? "unknown auction" : "redis", error);
    }
  }

  async function open(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const place = await admit(request);
    let isOpen = false;
    const leave = () => {
      place.leave();
      inside -= 1;
    };
    if (socket.destroyed) return leave();
    // Whose handshake is wrong is not opened.
    socket.once("close", () => {
      if (!isOpen) leave();
    });
    server.handleUpgrade(request, socket, head, (webSocket) => {
      isOpen = true;
      const watcher = new Watcher(webSocket, socket, {
        mostBufferedBytes: parts.mostBufferedBytes,
        onClose: leave,
        onCutOff(why) {
          broadcast.metrics.cutOff(why);
          logger.info({ why, remote: request.socket.remoteAddress }, "a watcher was cut off");
        },
      });
      place.take(watcher);
    });
  }

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    inside += 1;
    open(request, socket, head).catch((error: unknown) => {
      inside -= 1;
      if (!(error instanceof Refused)) {
        logger.error({ err: error }, "a WebSocket could not be opened");
        endWithProblem(socket, new Internal("Something went wrong inside the service.", { cause: error }));
        return;
      }
      broadcast.metrics.refused(error.why);
      logger.debug({ why: error.why, path: request.url?.slice(0, 200) }, "a WebSocket was refused");
      endWithProblem(socket, error.problem);
    });
  };
  return Object.assign(upgrade, {
    drain() {
      draining = true;
    },
  });
}

function refusedFor(why: Refusal, detail: string): Refused {
  return new Refused(why, new Overloaded(detail, { retryAfterSeconds: COME_BACK }));
}

const PATH = /^\/auctions\/([^/?]+)\/live(?:\?.*)?$/;

/** @throws Refused for another path, and for an id that no auction has */
function auctionOf(target: string): string {
  const [, id] = PATH.exec(target) ?? [];
  if (id === undefined) {
    throw new Refused("path", new RouteNotFound("WebSockets are opened at /auctions/{id}/live."));
  }
  if (!z.uuid().safeParse(id).success) {
    throw new Refused("unknown auction", new NotFound("There is no such auction: its id is no UUID."));
  }
  return id.toLowerCase();
}
