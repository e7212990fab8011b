/** A collector of traces: takes OTLP over HTTP as JSON, and keeps the spans for a test to read. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface CollectedSpan {
  readonly service: string;
  readonly name: string;
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer";
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for the first of a trace. */
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly failed: boolean;
  /** What was thrown, by type and message. */
  readonly exceptions: readonly { readonly type: string; readonly message: string }[];
  readonly startMs: number;
  readonly endMs: number;
}

export interface TraceCollector extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  /** In the order in which they came. */
  readonly spans: readonly CollectedSpan[];
  /** Exports that were begun, whatever was answered. */
  readonly requests: number;
}

/** What it answers an export with: a status, or nothing for ever (`hang`). */
export type CollectorAnswer = number | "hang";

/** On a free port of 127.0.0.1. */
export async function startTraceCollector(
  answer: () => CollectorAnswer = () => 200,
): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  let requests = 0;
  const server = createServer(async (request, response) => {
    const body = await text(request).catch(() => "");
    requests += 1;
    const status = request.method === "POST" && request.url === "/v1/traces" ? answer() : 404;
    if (status === "hang") return;
    if (status === 200) spans.push(...read(JSON.parse(body)));
    response.writeHead(status, { "content-type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly Attribute[];
  readonly status?: { readonly code?: number };
  readonly events?: readonly { readonly name: string; readonly attributes?: readonly Attribute[] }[];
}

interface Attribute {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly intValue?: number | string;
    readonly doubleValue?: number;
    readonly boolValue?: boolean;
  };
}

const KINDS = ["internal", "internal", "server", "client", "producer", "consumer"] as const;
const STATUS_ERROR = 2;

function read({ resourceSpans }: Export): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)["service.name"]);
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => collected(service, span)));
  });
}

function collected(service: string, span: Span): CollectedSpan {
  const { name, kind, traceId, spanId, parentSpanId } = span;
  return {
    service,
    name,
    kind: KINDS[kind] ?? "internal",
    traceId,
    spanId,
    parentSpanId: parentSpanId || undefined,
    attributes: valuesOf(span.attributes),
    failed: span.status?.code === STATUS_ERROR,
    exceptions: (span.events ?? [])
      .filter((event) => event.name === "exception")
      .map((event) => valuesOf(event.attributes))
      .map((values) => ({
        type: String(values["exception.type"]),
        message: String(values["exception.message"]),
      })),
    startMs: Number(BigInt(span.startTimeUnixNano) / 1000n) / 1000,
    endMs: Number(BigInt(span.endTimeUnixNano) / 1000n) / 1000,
  };
}

function valuesOf(attributes: readonly Attribute[] = []): Record<string, string | number | boolean> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const { stringValue, intValue, doubleValue, boolValue } = value;
      const number = intValue ?? doubleValue;
      return [key, stringValue ?? boolValue ?? (number === undefined ? "" : Number(number))];
    }),
  );
}
