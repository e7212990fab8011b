/**
 * Tracing by OpenTelemetry's SDK, exported by OTLP over HTTP as JSON. Loaded only when a collector is named. Nothing is
 * registered globally: two services can share a process, each with its own.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Span as ApiSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Logger } from "./logger.ts";
import { SpanExport } from "./span-export.ts";
import type { TraceContext } from "./trace.ts";
import type { SamplerName, Span, SpanAttributes, SpanStart, Tracing } from "./tracing.ts";

export interface OtlpOptions {
  /** Base URL of the collector; spans go to `/v1/traces` below it. */
  readonly endpoint: string;
  /** How long one export may take, its repetitions included. */
  readonly timeoutMs: number;
  readonly service: string;
  /** `ratio`: 0 to 1, of the traces; for the samplers that take one. */
  readonly sampler: { readonly name: SamplerName; readonly ratio: number };
  readonly logger: Logger;
}

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

export function otlpTracing({ endpoint, timeoutMs, service, sampler, logger }: OtlpOptions): Tracing {
  const url = `${endpoint.replace(/\/+$/, "")}/v1/traces`;
  const spans = new SpanExport(new OTLPTraceExporter({ url, timeoutMillis: timeoutMs }), timeoutMs, logger);
  const provider = new TracerProvider({
    sampler: samplerOf(sampler),
    resource: defaultResource()
      .merge(detectResources({ detectors: [resourceAttributesEnvDetector] }))
      .merge(resourceFromAttributes({ "service.name": service })),
    spanProcessors: [spans],
  });
  const tracer = provider.getTracer("parallax");
  const storage = new AsyncLocalStorage<Span>();

  return {
    begin({ name, kind, parent, attributes }: SpanStart): Span {
      const remote = kind === "server" || kind === "consumer";
      const context = parent ? trace.setSpanContext(ROOT_CONTEXT, asApi(parent, remote)) : ROOT_CONTEXT;
      return new OtlpSpan(
        tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, context),
      );
    },
    within: (span, work) => storage.run(span, work),
    get active() {
      return storage.getStore();
    },
    countIn: (metrics) => spans.countIn(metrics),
    async stop(ms) {
      const waited = new AbortController();
      const stopped = provider.shutdown().catch(() => {});
      await Promise.race([stopped, sleep(ms, undefined, { signal: waited.signal }).catch(() => {})]);
      waited.abort();
      const { exported, waiting, dropped, failed } = spans;
      logger.info({ exported, dropped, failed, unsent: waiting }, "traces ended");
    },
  };
}

class OtlpSpan implements Span {
  readonly #span: ApiSpan;
  readonly context: TraceContext;

  constructor(span: ApiSpan) {
    this.#span = span;
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.context = { traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 };
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes({ ...attributes });
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  fail(error: unknown): void {
    if (error instanceof Error) {
      this.#span.recordException(error);
      this.#span.setAttribute("error.type", typeOf(error));
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    } else {
      this.#span.setAttribute("error.type", String(error));
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
  }

  end(at?: number): void {
    this.#span.end(at);
  }
}

/** What tells kinds of failures apart: a code where the error has one. */
function typeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && code !== "" ? code : error.name;
}

function asApi({ traceId, spanId, sampled }: TraceContext, isRemote: boolean) {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote };
}

function samplerOf({ name, ratio }: OtlpOptions["sampler"]): Sampler {
  const roots = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(ratio),
  };
  const root = roots[name.replace("parentbased_", "") as keyof typeof roots]();
  return name.startsWith("parentbased_") ? new ParentBasedSampler({ root }) : root;
}
