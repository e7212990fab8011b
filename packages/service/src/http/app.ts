/**
 * The koa application that every service serves: request ids and traces, metrics, logs, limits, problem
 * documents, health. A service adds its own routes to `router` and nothing else.
 */

import { randomUUID } from "node:crypto";
import Router, { type RouterContext } from "@koa/router";
import Koa from "koa";
import { BadRequest, Overloaded } from "../errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { childSpan, newTrace, parseTraceparent, type TraceContext } from "../telemetry/trace.ts";
import type { Span, Tracing } from "../telemetry/tracing.ts";
import { discardBody } from "./body.ts";
import { createBookkeeping } from "./bookkeeping.ts";
import { answerOperation, createOperations, type Operation, type ReadinessCheck } from "./health.ts";
import { absentRoute, answerProblem } from "./problem.ts";
import { beginServerSpan } from "./server-span.ts";

export { Router };

/** What each request carries in `ctx.state`. */
export interface ServiceState {
  requestId: string;
  trace: TraceContext;
  /** What the request's log line should carry besides, such as the order's id; set by its handler. */
  log: Readonly<Record<string, unknown>> | undefined;
  /** Where the request is traced. */
  span: Span | undefined;
}

export type Context = RouterContext<ServiceState>;

export interface AppOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly router: Router<ServiceState>;
  /** What `/openapi.json` answers; see `defineApi`. */
  readonly document?: () => Promise<string>;
  readonly readiness: readonly ReadinessCheck[];
  /** Requests answered at once; one more gets 503 with Retry-After. Health and metrics do not count. */
  readonly maxInFlight?: number;
  /** How long a readiness check may take, in milliseconds. */
  readonly checkTimeoutMs?: number;
  readonly tracing?: Tracing | undefined;
}

export interface App {
  readonly callback: ReturnType<Koa["callback"]>;
  /** From now on `/health/ready` answers 503 and answers close their connection. */
  drain(): void;
}

const REQUEST_ID = /^[\w.:-]{1,64}$/;

export function createApp(options: AppOptions): App {
  const { logger, metrics, router, tracing } = options;
  const maxInFlight = options.maxInFlight ?? 2000;
  let draining = false;
  let inFlight = 0;

  metrics.gauge("http_requests_in_flight", "Requests being answered.", () => inFlight);
  const operations = createOperations({
    checks: options.readiness,
    metrics,
    draining: () => draining,
    checkTimeoutMs: options.checkTimeoutMs,
    document: options.document,
  });
  const record = createBookkeeping(logger, metrics);
  tracing?.countIn(metrics);

  const app = new Koa<ServiceState>();
  // Errors are answered and logged below; koa's own handler would print the rest on standard error.
  app.on("error", (error) => logger.debug({ err: error }, "the connection failed while answering"));

  app.use(async function observe(ctx, next) {
    const began = performance.now();
    const { headers } = ctx.req;
    const given = headers["x-request-id"];
    const parent = parseTraceparent(single(headers.traceparent));
    const requestId = typeof given === "string" && REQUEST_ID.test(given) ? given : randomUUID();
    ctx.state = {
      requestId,
      trace: parent ? childSpan(parent) : newTrace(),
      log: undefined,
      span: undefined,
    };
    ctx.res.setHeader("x-request-id", requestId);
    if (draining) ctx.res.setHeader("connection", "close");
    let operation: Operation | undefined;
    let failure: unknown;
    try {
      operation = operations.get(pathOf(ctx));
      if (operation) await answerOperation(ctx, operation);
      else if (tracing) await traced(tracing, ctx, parent, next);
      else await limited(next);
    } catch (error) {
      failure = error;
      answerProblem(ctx, error);
    }
    const ended = performance.now();
    record({
      ctx: ctx as unknown as Context,
      ended,
      milliseconds: ended - began,
      operation: operation !== undefined,
      failure,
    });
    // After its place is free again: what is thrown away may take as long as its sender likes.
    if (failure !== undefined) await discardBody(ctx);
  });
  app.use(router.routes());
  app.use(refuse(router));

  /** The service's own operations are not traced: nobody's order depends on them. */
  async function traced(
    tracing: Tracing,
    { req, state }: Koa.ParameterizedContext<ServiceState>,
    parent: TraceContext | undefined,
    next: () => Promise<unknown>,
  ): Promise<void> {
    const span = beginServerSpan(tracing, req, parent);
    state.span = span;
    state.trace = span.context;
    await tracing.within(span, () => limited(next));
  }

  async function limited(next: () => Promise<unknown>): Promise<void> {
    if (inFlight >= maxInFlight) {
      throw new Overloaded(`${maxInFlight} requests are being answered, which is the limit.`, {
        retryAfterSeconds: 1,
      });
    }
    inFlight += 1;
    try {
      await next();
    } finally {
      inFlight -= 1;
    }
  }

  return {
    callback: app.callback(),
    drain() {
      draining = true;
    },
  };
}

/** A header that came twice is no header that can be relied on. */
function single(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" ? header : undefined;
}

/** @throws BadRequest for a request target that is no URL, and for HTTP/1.1 without Host (RFC 9112, 3.2) */
function pathOf(ctx: Koa.ParameterizedContext): string {
  if (ctx.req.headers.host === undefined && ctx.req.httpVersion === "1.1") {
    throw new BadRequest("The request names no Host.");
  }
  try {
    return ctx.path;
  } catch (cause) {
    throw new BadRequest("The request target is not a valid URL.", { cause });
  }
}

/** A known path with a method it does not take is 405 with Allow, not 404. */
function refuse(router: Router<ServiceState>) {
  return async function refuse(ctx: Koa.ParameterizedContext<ServiceState>): Promise<void> {
    const allowed = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods));
    throw absentRoute(ctx.path, { method: ctx.method, allowed: [...allowed] });
  };
}
