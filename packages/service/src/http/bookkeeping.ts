/**
 * What is written down of each answered request: one observation in the latency histogram, one line in the
 * log, the end of its span where there is one. It is done after the event loop's present round, so that answers leave first, and for all requests of
 * that round together, which costs less than one by one.
 */

import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Context } from "./app.ts";
import { endServerSpan } from "./server-span.ts";

export interface Answered {
  readonly ctx: Context;
  /** performance.now() when its handler was done. */
  readonly ended: number;
  /** From the request's arrival until its handler was done. */
  readonly milliseconds: number;
  /** Asked of the service about itself: logged only at `trace`. */
  readonly operation: boolean;
  /** What was thrown, if anything was. */
  readonly failure: unknown;
}

/** The status, as nginx has it, under which a request is recorded that nobody waited for any more. */
const HUNG_UP = 499;

export function createBookkeeping(logger: Logger, metrics: Metrics): (answered: Answered) => void {
  let waiting: Answered[] = [];

  function recordAll(): void {
    const round = waiting;
    waiting = [];
    for (const answered of round) record(answered);
  }

  function record({ ctx, ended, milliseconds, operation, failure }: Answered): void {
    const { method } = ctx;
    // As it came, without what follows a question mark: koa's own getter throws on a target that is no URL.
    const [path = ""] = (ctx.req.url ?? "").split("?", 1);
    // A caller that hung up is no failure of ours, whatever the handler made of it.
    const hungUp = ctx.res.destroyed && !ctx.res.writableFinished;
    const status = hungUp ? HUNG_UP : ctx.status;
    const route = operation ? path : typeof ctx._matchedRoute === "string" ? ctx._matchedRoute : "(none)";
    metrics.httpDuration.observe({ method, route, status }, milliseconds / 1000);
    const { requestId, trace, log, span } = ctx.state;
    if (span) endServerSpan(span, { method, route, status, failure, log, ended });
    const level = status >= 500 ? "error" : operation ? "trace" : "info";
    if (!logger.isLevelEnabled(level)) return;
    logger[level](
      {
        request_id: requestId,
        trace_id: trace.traceId,
        span_id: trace.spanId,
        method,
        path,
        status,
        ms: Math.round(milliseconds * 100) / 100,
        err: status >= 500 ? failure : undefined,
        ...log,
      },
      "request",
    );
  }

  return (answered) => {
    waiting.push(answered);
    if (waiting.length === 1) setImmediate(recordAll);
  };
}
