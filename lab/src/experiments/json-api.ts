/** Asking a service of the lab as a client does: in bounded time, and with answers that are checked, since verdicts rest on them. */

import type { Pool } from "undici";
import type { z } from "zod";
import { LabError } from "../cli/lab-error.ts";

/** Milliseconds, unless a call is told otherwise. Pass it to the pool. */
export const PATIENCE = { headersTimeout: 10_000, bodyTimeout: 10_000 };

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

export interface CallOptions {
  /** Sent as JSON. */
  readonly body?: object | undefined;
  /** Milliseconds until the answer begins; the pool's unless told. */
  readonly headersTimeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws LabError COMMAND_FAILED without an answer; the signal's reason once it is aborted */
export async function call(
  pool: Pool,
  method: "GET" | "POST",
  path: string,
  { body, headersTimeout, signal }: CallOptions = {},
): Promise<ApiAnswer> {
  try {
    const answer = await pool.request({
      method,
      path,
      ...(headersTimeout !== undefined && { headersTimeout }),
      ...(signal && { signal }),
      ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  } catch (cause) {
    signal?.throwIfAborted();
    throw new LabError("COMMAND_FAILED", `${method} ${path.split("?")[0]} got no answer.`, {
      reason: cause instanceof Error ? cause.message : String(cause),
      remedy: "See `make status` and `make logs`.",
      cause,
    });
  }
}

/** @throws LabError COMMAND_FAILED for what does not fit the schema */
export function parse<S extends z.ZodType>(schema: S, what: string, answer: ApiAnswer): z.output<S> {
  try {
    return schema.parse(JSON.parse(answer.text));
  } catch (cause) {
    throw unexpected(what, answer, cause);
  }
}

export function unexpected(what: string, { status, text }: ApiAnswer, cause?: unknown): LabError {
  return new LabError("COMMAND_FAILED", `${what} answered ${status}, which was not expected.`, {
    reason: text.slice(0, 300),
    remedy: "See `make logs`.",
    cause,
  });
}
