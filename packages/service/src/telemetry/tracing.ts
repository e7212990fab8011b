/**
 * Traces of what a service does, in OpenTelemetry's terms, sent to a collector. Off unless a collector is named: then
 * there is no `Tracing`, nothing of the SDK is loaded, and the ids of `trace.ts` are all there is.
 *
 * Terms
 * - span: one piece of work, with a beginning, an end, attributes, and the span that it is part of (its parent).
 * - trace: all spans with one trace id, in whatever service.
 * - active span: the innermost one around the present work, in this process.
 */

import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import type { TraceContext } from "./trace.ts";

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  /** Of few values: never with an id in it. */
  readonly name: string;
  /** `server` and `consumer` continue what another process began; `client` and `producer` are continued by one. */
  readonly kind: "server" | "client" | "producer" | "consumer";
  /** Without one, a new trace begins. */
  readonly parent: TraceContext | undefined;
  /** By the names of OpenTelemetry's semantic conventions where they have one, `parallax.…` otherwise. */
  readonly attributes: SpanAttributes;
}

export interface Span {
  /** To be sent along and logged. `sampled` says whether the span is going to be exported. */
  readonly context: TraceContext;
  set(attributes: SpanAttributes): void;
  rename(name: string): void;
  /** Says that it failed, and with what: an error, or a word for its kind such as an answer's status. */
  fail(error: unknown): void;
  /** @param at performance.now() at its end; now by default */
  end(at?: number): void;
}

export interface Tracing {
  begin(start: SpanStart): Span;
  /** Runs `work`, and all that it starts, with `span` as the active one. */
  within<T>(span: Span, work: () => T): T;
  readonly active: Span | undefined;
  /** Counts there what becomes of spans. */
  countIn(metrics: Metrics): void;
  /** Sends what waits, for `ms` at the most; what is not sent by then is lost. Never rejects. */
  stop(ms: number): Promise<void>;
}

/** What `serviceVariables` yield for this. */
export interface TracingConfig {
  readonly OTEL_SDK_DISABLED: "true" | "false";
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_TIMEOUT: number;
  readonly OTEL_SERVICE_NAME?: string | undefined;
  readonly OTEL_TRACES_SAMPLER: SamplerName;
  readonly OTEL_TRACES_SAMPLER_ARG: number;
}

/** The standard's; `parentbased_…` does what the caller did, and the rest only where there is no caller. */
export const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

export type SamplerName = (typeof samplers)[number];

/** @returns undefined when no collector is named */
export async function startTracing(
  config: TracingConfig,
  service: string,
  logger: Logger,
): Promise<Tracing | undefined> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SDK_DISABLED: disabled } = config;
  if (endpoint === undefined || disabled === "true") return undefined;
  const { otlpTracing } = await import("./otlp-tracing.ts");
  logger.info({ collector: new URL(endpoint).origin }, "traces are sent to a collector");
  return otlpTracing({
    endpoint,
    timeoutMs: config.OTEL_EXPORTER_OTLP_TIMEOUT,
    service: config.OTEL_SERVICE_NAME ?? service,
    sampler: { name: config.OTEL_TRACES_SAMPLER, ratio: config.OTEL_TRACES_SAMPLER_ARG },
    logger,
  });
}

/** Does `work` inside a span that begins and ends with it, and fails when it throws. */
export async function inSpan<T>(
  tracing: Tracing,
  start: SpanStart,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = tracing.begin(start);
  try {
    return await tracing.within(span, () => work(span));
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}
