/**
 * `Idempotency-Key` (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/): a request that
 * is sent again with its key gets the first answer again instead of a second effect.
 *
 * - the same key and contents: the first answer, marked by `Idempotency-Replayed: true`
 * - the same key, other contents or another endpoint: 422
 * - the first request is still running: 409 with Retry-After
 *
 * Answers stay that would be the same again: successes, and refusals for what the request says. A failure that may
 * pass does not: its key can be sent again at once, and carries the same order, also where the order's id was made
 * here. Without the database nothing of this can be promised, so that requests with a key are refused then.
 */

import { createHash, randomUUIDv7 } from "node:crypto";
import {
  BadRequest,
  type Context,
  DependencyUnavailable,
  jsonBody,
  KeyInUse,
  KeyReused,
  type Metrics,
  ServiceError,
  toProblem,
} from "@parallax/service";
import type { IdempotencyKeys, KeptAnswer, Taken } from "../domain/ports.ts";

/** What answers a request. `orderId`: for an order that brings none; undefined where any will do. */
export type PlaceOrder = (ctx: Context, body: unknown, orderId: string | undefined) => Promise<void>;

export interface IdempotencyParts {
  readonly keys: IdempotencyKeys;
  /** This receiver's lease. */
  readonly instance: string;
  /** Seconds that a request may be held to be running; longer than any runs. */
  readonly lockSeconds: number;
  readonly metrics: Metrics;
  /** Does what failed for want of the database once more, later. */
  retryLater(task: () => Promise<void>): void;
}

/** Makes handlers that read a JSON body honour the header. */
export function createIdempotency(parts: IdempotencyParts) {
  const requests = parts.metrics.counter(
    "orders_idempotency_total",
    "Requests with an Idempotency-Key, by what was found under it.",
    ["outcome"],
  );

  return (place: PlaceOrder) =>
    async (ctx: Context): Promise<void> => {
      const key = keyOf(ctx);
      const body = await jsonBody(ctx);
      if (key === undefined) return await place(ctx, body, undefined);
      const taken = await take(key, ctx, body);
      requests.inc({ outcome: taken.outcome });
      switch (taken.outcome) {
        case "other":
          throw new KeyReused(
            "This Idempotency-Key was sent with another request; a new request needs a new one.",
            header,
          );
        case "running":
          throw new KeyInUse("The first request with this Idempotency-Key is still being answered.", {
            ...header,
            retryAfterSeconds: 2,
          });
        case "finished":
          return answerAgain(ctx, taken.answer);
        case "taken":
          return await runOnce(key, taken, () => place(ctx, body, taken.orderId), ctx);
      }
    };

  async function take(key: string, ctx: Context, body: unknown): Promise<Taken> {
    try {
      return await parts.keys.take({
        key,
        fingerprint: fingerprintOf(ctx, body),
        orderId: randomUUIDv7(),
        instance: parts.instance,
        lockSeconds: parts.lockSeconds,
        retentionSeconds: RETENTION_SECONDS,
      });
    } catch (error) {
      if (!(error instanceof DependencyUnavailable)) throw error;
      throw new DependencyUnavailable(
        "Idempotency-Key cannot be honoured while the database does not answer; nothing has been done.",
        { cause: error, retryAfterSeconds: error.details.retryAfterSeconds ?? 5, ...header },
      );
    }
  }

  async function runOnce(
    key: string,
    { attempt }: { attempt: number },
    place: () => Promise<void>,
    ctx: Context,
  ): Promise<void> {
    const keep = (answer: KeptAnswer) => orLater(() => parts.keys.finish(key, attempt, answer));
    try {
      await place();
    } catch (error) {
      const answer = error instanceof ServiceError ? lastingAnswer(error, ctx) : undefined;
      await (answer ? keep(answer) : orLater(() => parts.keys.release(key, attempt)));
      throw error;
    }
    // As text, so that the first answer and the later ones are the same bytes.
    ctx.body = JSON.stringify(ctx.body);
    ctx.type = "application/json";
    await keep({
      status: ctx.status,
      contentType: ctx.response.get("Content-Type"),
      location: ctx.response.get("Location") || undefined,
      body: ctx.body as string,
    });
  }

  /** What has been done is told to its client all the same. */
  async function orLater(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (!(error instanceof DependencyUnavailable)) throw error;
      parts.retryLater(task);
    }
  }
}

const RETENTION_SECONDS = 24 * 3600;
const VISIBLE = /^[\x21-\x7e]{1,255}$/;
const header = { extensions: { header: "Idempotency-Key" } };

/** Of what it may be, the draft says a quoted string; others send it bare. It is taken as it comes. */
function keyOf(ctx: Context): string | undefined {
  const key = ctx.req.headers["idempotency-key"];
  if (key === undefined) return undefined;
  // Sent twice it is joined by a comma and a space, which is no key.
  if (typeof key === "string" && VISIBLE.test(key)) return key;
  throw new BadRequest("Idempotency-Key must be one value of 1 to 255 visible ASCII characters.", header);
}

function fingerprintOf(ctx: Context, body: unknown): string {
  return createHash("sha256")
    .update(`${ctx.method} ${ctx.path}\n${JSON.stringify(body)}`)
    .digest("base64url");
}

function answerAgain(ctx: Context, { status, contentType, location, body }: KeptAnswer): void {
  ctx.state.log = { replayed: true };
  ctx.status = status;
  ctx.set("Idempotency-Replayed", "true");
  if (location !== undefined) ctx.set("Location", location);
  ctx.body = body;
  ctx.set("Content-Type", contentType);
}

/** The refusal as `answerProblem` writes it, when sending the same again would only be refused again. */
function lastingAnswer(error: ServiceError, ctx: Context): KeptAnswer | undefined {
  if (error.status >= 500 || error.retryable) return undefined;
  return {
    status: error.status,
    contentType: "application/problem+json",
    location: undefined,
    body: JSON.stringify(toProblem(error, ctx.state.requestId)),
  };
}
