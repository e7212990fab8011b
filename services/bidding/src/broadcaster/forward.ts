/**
 * Questions and bids of the live page, sent on to the gateway as they came; its answers, problems too, come back as they are. The page thus
 * speaks to one origin. Bounded in bytes and in time, both ways.
 */

import { setTimeout as sleep } from "node:timers/promises";
import {
  BodyTooLarge,
  type Context,
  callerGone,
  DependencyUnavailable,
  MalformedBody,
  traceparent,
} from "@parallax/service";
import { type Dispatcher, Pool } from "undici";

export interface Forwarder extends AsyncDisposable {
  /** Answers with what the gateway answers to the same. @throws DependencyUnavailable when it does not */
  forward(ctx: Context): Promise<void>;
}

export interface ForwarderOptions {
  /** Origin, such as http://gateway:8081. */
  readonly url: string;
  /** Milliseconds for the whole answer. */
  readonly answerMs?: number;
}

const CONNECTIONS = 256;
const CONNECT_MS = 2000;
const ANSWER_MS = 10_000;
const MOST_REQUEST_BYTES = 16 * 1024;
/** A page of 1,000 auctions has less than half of it. */
const MOST_ANSWER_BYTES = 4 * 1024 * 1024;

const REQUEST_HEADERS = ["content-type", "content-encoding"] as const;
const ANSWER_HEADERS = [
  "content-type",
  "location",
  "cache-control",
  "retry-after",
  "allow",
  "accept",
  "accept-encoding",
] as const;
/** Of these, nothing has been sent to the gateway. */
const NOT_SENT = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
]);

export function createForwarder({ url, answerMs = ANSWER_MS }: ForwarderOptions): Forwarder {
  const pool = new Pool(url, {
    connections: CONNECTIONS,
    pipelining: 1,
    connect: { timeout: CONNECT_MS },
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
  });

  async function ask(ctx: Context, body: Buffer | undefined) {
    const { requestId, trace } = ctx.state;
    const headers: Record<string, string> = {
      accept: "application/json",
      "x-request-id": requestId,
      traceparent: traceparent(trace),
    };
    for (const name of REQUEST_HEADERS) {
      const value = ctx.req.headers[name];
      if (typeof value === "string") headers[name] = value;
    }
    const late = AbortSignal.timeout(answerMs);
    const answer = await pool.request({
      method: ctx.method as Dispatcher.HttpMethod,
      path: ctx.url,
      headers,
      body: body ?? null,
      signal: AbortSignal.any([callerGone(ctx), late]),
    });
    return { ...answer, bytes: await readAll(answer.body, MOST_ANSWER_BYTES) };
  }

  return {
    async forward(ctx) {
      const body = ctx.method === "POST" ? await requestBody(ctx) : undefined;
      const answer = await ask(ctx, body).catch((error: unknown) => {
        throw unanswered(error, body);
      });
      const kind = String(answer.headers["content-type"] ?? "");
      // A load balancer before the gateways answers for itself when there is none.
      if (!/^application\/(problem\+)?json\b/.test(kind) || !answer.bytes) {
        throw unanswered(new Error(`The gateway answered ${answer.statusCode} ${kind}`), body);
      }
      ctx.status = answer.statusCode;
      for (const name of ANSWER_HEADERS) {
        const value = answer.headers[name];
        if (typeof value === "string") ctx.set(name, value);
      }
      ctx.body = answer.bytes;
    },

    async [Symbol.asyncDispose]() {
      // Answers that are on their way are waited for by whoever serves them.
      await Promise.race([pool.close(), sleep(1000, undefined, { ref: false })]);
      await pool.destroy();
    },
  };
}

/** @throws BodyTooLarge, MalformedBody */
async function requestBody(ctx: Context): Promise<Buffer> {
  const bytes = await readAll(ctx.req, MOST_REQUEST_BYTES).catch((cause: unknown) => {
    throw new MalformedBody("The body ended before all of it had arrived.", { cause });
  });
  if (bytes) return bytes;
  throw new BodyTooLarge(`The body may have ${MOST_REQUEST_BYTES} bytes at the most.`);
}

/** Undefined when there is more than `most`. */
async function readAll(stream: AsyncIterable<Buffer>, most: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What nobody answered: a bid may have been accepted all the same, and its sender must be able to say which one it is. */
function unanswered(cause: unknown, body: Buffer | undefined) {
  const code = (cause as { code?: unknown }).code;
  if (body === undefined || (typeof code === "string" && NOT_SENT.has(code))) {
    return new DependencyUnavailable("The auctions' gateway does not answer.", {
      cause,
      retryAfterSeconds: 1,
    });
  }
  const bid_id = bidIdOf(body);
  return new DependencyUnavailable(
    "The gateway's answer did not arrive: whether the bid was accepted is not known. Send it again with the same bid_id to learn it.",
    {
      cause,
      retryAfterSeconds: 1,
      extensions: { ...(bid_id !== undefined && { bid_id }), outcome: "unknown" },
    },
  );
}

function bidIdOf(body: Buffer): string | undefined {
  try {
    const { bid_id } = JSON.parse(body.toString()) as { bid_id?: unknown };
    return typeof bid_id === "string" ? bid_id.slice(0, 64) : undefined;
  } catch {
    return undefined;
  }
}
