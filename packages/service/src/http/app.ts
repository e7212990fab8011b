/**
 * The koa application that every service serves: request ids and traces, metrics, logs, limits, problem
 * documents, health. A service adds its own routes to `router` and nothing else.
 */

import { randomUUID } from "node:crypto";
import Router, { type RouterContext } from "@koa/router";
import Koa from "koa";
import { Overloaded } from "../errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { childSpan, newTrace, parseTraceparent, type TraceContext, traceparent } from "../telemetry/trace.ts";
import { addHealthRoutes, type ReadinessCheck } from "./health.ts";
import { absentRoute, answerProblem } from "./problem.ts";

export { Router };

/** What each request carries in `ctx.state`. */
export interface ServiceState {
  requestId: string;
  trace: TraceContext;
  /** Set by a handler; a few words that its log line should carry, such as the order's id. */
  log: Record<string, unknown>;
}

export type Context = RouterContext<ServiceState>;

export interface AppOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly router: Router<ServiceState>;
  readonly readiness: readonly ReadinessCheck[];
  /** Requests answered at once; one more gets 503 with Retry-After. Health and metrics do not count. */
  readonly maxInFlight?: number;
}

export interface App {
  readonly callback: ReturnType<Koa["callback"]>;
  /** From now on `/health/ready` answers 503 and answers close their connection. */
  drain(): void;
}

const REQUEST_ID = /^[\w.:-]{1,64}$/;

export function createApp(options: AppOptions): App {
  const { logger, metrics, router } = options;
  const maxInFlight = options.maxInFlight ?? 2000;
  let draining = false;
  let inFlight = 0;

  const operations = new Router<ServiceState>();
  addHealthRoutes(operations, { checks: options.readiness, metrics, draining: () => draining });

  const app = new Koa<ServiceState>();
  // Errors are answered and logged below; koa's own handler would print the rest on standard error.
  app.on("error", (error) => logger.debug({ err: error }, "the connection failed while answering"));

  app.use(async function observe(ctx, next) {
    const began = performance.now();
    const given = ctx.get("x-request-id");
    const parent = parseTraceparent(ctx.get("traceparent") || undefined);
    ctx.state.requestId = REQUEST_ID.test(given) ? given : randomUUID();
    ctx.state.trace = parent ? childSpan(parent) : newTrace();
    ctx.state.log = {};
    ctx.set("x-request-id", ctx.state.requestId);
    ctx.set("traceparent", traceparent(ctx.state.trace));
    if (draining) ctx.set("connection", "close");
    let failure: unknown;
    try {
      await next();
    } catch (error) {
      failure = error;
      answerProblem(ctx, error);
    }
    record(ctx as unknown as Context, performance.now() - began, failure);
  });
  app.use(operations.routes());
  app.use(async function limit(_ctx, next) {
    if (inFlight >= maxInFlight) {
      throw new Overloaded(`${maxInFlight} requests are being answered, which is the limit.`, {
        retryAfterSeconds: 1,
      });
    }
    inFlight += 1;
    metrics.httpInFlight.inc();
    try {
      await next();
    } finally {
      inFlight -= 1;
      metrics.httpInFlight.dec();
    }
  });
  app.use(router.routes());
  app.use(refuse(operations, router));

  function record(ctx: Context, milliseconds: number, failure: unknown): void {
    const route = typeof ctx._matchedRoute === "string" ? ctx._matchedRoute : "(none)";
    metrics.httpDuration.observe({ method: ctx.method, route, status: ctx.status }, milliseconds / 1000);
    const level =
      ctx.status >= 500 ? "error" : route.startsWith("/health") || route === "/metrics" ? "trace" : "info";
    if (!logger.isLevelEnabled(level)) return;
    logger[level](
      {
        request_id: ctx.state.requestId,
        trace_id: ctx.state.trace.traceId,
        span_id: ctx.state.trace.spanId,
        method: ctx.method,
        path: ctx.path,
        status: ctx.status,
        ms: Math.round(milliseconds * 100) / 100,
        ...ctx.state.log,
        ...(ctx.status >= 500 && { err: failure }),
      },
      "request",
    );
  }

  return {
    callback: app.callback(),
    drain() {
      draining = true;
    },
  };
}

/** A known path with a method it does not take is 405 with Allow, not 404. */
function refuse(...routers: Router<ServiceState>[]) {
  return async function refuse(ctx: Koa.ParameterizedContext<ServiceState>): Promise<void> {
    const allowed = new Set(
      routers.flatMap((router) => router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods)),
    );
    throw absentRoute(ctx.path, { method: ctx.method, allowed: [...allowed] });
  };
}
