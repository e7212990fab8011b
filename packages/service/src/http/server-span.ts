/**
 * The span of a request that is answered, by OpenTelemetry's conventions for HTTP servers
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
 */

import type { IncomingMessage } from "node:http";
import type { TraceContext } from "../telemetry/trace.ts";
import type { Span, SpanAttributes, Tracing } from "../telemetry/tracing.ts";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]);

export function beginServerSpan(
  tracing: Tracing,
  request: IncomingMessage,
  parent: TraceContext | undefined,
): Span {
  const { method = "", url = "" } = request;
  const [path = ""] = url.split("?", 1);
  const agent = request.headers["user-agent"];
  return tracing.begin({
    // Its route is known only once it has been answered.
    name: nameOf(method),
    kind: "server",
    parent,
    attributes: {
      ...(METHODS.has(method)
        ? { "http.request.method": method }
        : { "http.request.method": "_OTHER", "http.request.method_original": method }),
      "url.scheme": "http",
      "url.path": path,
      "network.protocol.version": request.httpVersion,
      ...(agent !== undefined && { "user_agent.original": agent }),
    },
  });
}

export interface ServerAnswer {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  /** What was thrown, if anything was. */
  readonly failure: unknown;
  /** What the request's log line carries besides, such as `order_id`. */
  readonly log: Readonly<Record<string, unknown>> | undefined;
  /** performance.now() */
  readonly ended: number;
}

/** What the caller did wrong is no failure of this service, and no error of its span. */
export function endServerSpan(span: Span, answer: ServerAnswer): void {
  const { method, route, status, failure, log, ended } = answer;
  const attributes: Record<string, string | number> = { "http.response.status_code": status };
  if (route.startsWith("/")) {
    attributes["http.route"] = route;
    span.rename(`${nameOf(method)} ${route}`);
  }
  for (const [name, value] of Object.entries(log ?? {})) attributes[`parallax.${name}`] = String(value);
  if (status >= 500) {
    span.fail(failure ?? String(status));
    attributes["error.type"] = String(status);
  }
  span.set(attributes satisfies SpanAttributes);
  span.end(ended);
}

function nameOf(method: string): string {
  return METHODS.has(method) ? method : "HTTP";
}
