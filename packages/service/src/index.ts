/** What every service needs. Everything not listed here is private to the package. */

export { ConfigError, configure, fields, serviceVariables } from "./config.ts";
export * from "./errors.ts";
export type { App, Context, ServiceState } from "./http/app.ts";
export { createApp, Router } from "./http/app.ts";
export { jsonBody } from "./http/body.ts";
export { callerGone } from "./http/caller-gone.ts";
export type { ReadinessCheck } from "./http/health.ts";
export { answerJson } from "./http/json-answer.ts";
export { type About, defineApi, type Operation } from "./http/operations.ts";
export { answerRefusal, toProblem } from "./http/problem.ts";
export { endWithProblem, type HttpServer, listen } from "./http/server.ts";
export { validate } from "./http/validate.ts";
export { Releasers } from "./lifecycle/releasers.ts";
export { type ServiceParts, serviceMain } from "./lifecycle/service-main.ts";
export { isoNow } from "./telemetry/iso-now.ts";
export { createLogger, type Logger } from "./telemetry/logger.ts";
export { createMetrics, type Metrics } from "./telemetry/metrics.ts";
export { childSpan, newTrace, parseTraceparent, type TraceContext, traceparent } from "./telemetry/trace.ts";
export { inSpan, type Span, type SpanAttributes, type SpanStart, type Tracing } from "./telemetry/tracing.ts";
