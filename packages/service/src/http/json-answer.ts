/**
 * Answers in JSON, written in one go. koa's way, by `ctx.body`, looks at what kind of body it is, looks up its media type
 * and sets each header by itself; it is for all other answers.
 */

import type Koa from "koa";
import type { ServiceState } from "./app.ts";

export interface JsonAnswer {
  readonly status: number;
  readonly text: string;
  readonly type: string;
}

const JSON_TYPE = "application/json; charset=utf-8";

/** What `ctx` will be answered, beside the headers that are set. */
export function answerJson(
  ctx: Koa.ParameterizedContext<ServiceState>,
  status: number,
  value: unknown,
  type = JSON_TYPE,
): void {
  ctx.res.statusCode = status;
  ctx.state.answer = { status, text: JSON.stringify(value), type };
}

/** Once the handler is done. */
export function writeJsonAnswer(ctx: Koa.ParameterizedContext<ServiceState>, answer: JsonAnswer): void {
  const { res } = ctx;
  const { status, text, type } = answer;
  ctx.respond = false;
  if (!ctx.writable) {
    res.end();
    return;
  }
  res.writeHead(status, [
    "X-Request-Id",
    ctx.state.requestId,
    "Content-Type",
    type,
    "Content-Length",
    String(Buffer.byteLength(text)),
  ]);
  res.end(text);
}
