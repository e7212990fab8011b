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
import { createDispatch } from "./dispatch.ts";
import { answerOperation, createOperations, type Operation, type ReadinessCheck } from "./health.ts";
import { type JsonAnswer, writeJsonAnswer } from "./json-answer.ts";
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
  /** What `answerJson` has been told. */
  answer: JsonAnswer | undefined;
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

/** Of most requests: nothing in it has to be taken apart. */
const PLAIN_PATH = /^(\/[\w.~:-]+)+$/;
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
  const dispatch = createDispatch(router);

  const app = new Koa<ServiceState>();
  // Errors are answered and logged below; koa's own handler would print the rest on standard error.
  app.on("error", (error) => logger.debug({ err: error }, "the connection failed while answering"));

  app.use(async function observe(ctx) {
    const began = performance.now();
    const { headers } = ctx.req;
    const given = headers["x-request-id"];
    const parent = parseTraceparent(single(headers.traceparent));
    ctx.state = {
      requestId: typeof given === "string" && REQUEST_ID.test(given) ? given : randomUUID(),
      trace: parent ? childSpan(parent) : newTrace(),
      log: undefined,
      span: undefined,
      answer: undefined,
    };
    if (draining) ctx.res.setHeader("connection", "close");
    let operation: Operation | undefined;
    let failure: unknown;
    try {
      const path = pathOf(ctx);
      operation = operations.get(path);
      if (operation) await answerOperation(ctx, operation);
      else if (tracing) await traced(tracing, ctx, path, parent);
      else await limited(ctx, path);
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
    const { answer, requestId } = ctx.state;
    if (answer) writeJsonAnswer(ctx, answer);
    else if (!ctx.res.headersSent) ctx.res.setHeader("x-request-id", requestId);
  });

  /** The service's own operations are not traced: nobody's order depends on them. */
  async function traced(
    tracing: Tracing,
    ctx: Koa.ParameterizedContext<ServiceState>,
    path: string,
    parent: TraceContext | undefined,
  ): Promise<void> {
    const { req, state } = ctx;
    const span = beginServerSpan(tracing, req, parent);
    state.span = span;
    state.trace = span.context;
    await tracing.within(span, () => limited(ctx, path));
  }

  async function limited(ctx: Koa.ParameterizedContext<ServiceState>, path: string): Promise<void> {
    if (inFlight >= maxInFlight) {
      throw new Overloaded(`${maxInFlight} requests are being answered, which is the limit.`, {
        retryAfterSeconds: 1,
      });
    }
    const handle = dispatch(ctx, path);
    if (!handle) throw refusal(router, ctx.method, path);
    inFlight += 1;
    try {
      await handle(ctx as unknown as Context, nothingMore);
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
  const { url = "" } = ctx.req;
  if (PLAIN_PATH.test(url)) return url;
  try {
    return ctx.path;
  } catch (cause) {
    throw new BadRequest("The request target is not a valid URL.", { cause });
  }
}

/** A known path with a method it does not take is 405 with Allow, not 404. */
function refusal(router: Router<ServiceState>, method: string, path: string): Error {
  const allowed = new Set(router.match(path, method).path.flatMap((layer) => layer.methods));
  return absentRoute(path, { method, allowed: [...allowed] });
}

async function nothingMore(): Promise<void> {}
