/**
 * The span of a call to the payment provider, by OpenTelemetry's conventions for HTTP clients
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
 */

import { inSpan, parseTraceparent, type Tracing, traceparent } from "@parallax/service";

export interface TracedRequest {
  readonly method: string;
  /** Such as http://payments:8090. */
  readonly origin: string;
  readonly path: string;
  readonly order_id: string;
}

/** Does `call` inside a span that continues the trace of `context`, and gives it that span's trace to send along. */
export async function tracedCall<C extends { readonly traceparent: string }, A extends { status: number }>(
  tracing: Tracing,
  { method, origin, path, order_id }: TracedRequest,
  context: C,
  call: (context: C) => Promise<A>,
): Promise<A> {
  const url = new URL(path, origin);
  // A span's name holds no id.
  const template = url.pathname.replace(encodeURIComponent(order_id), "{order_id}");
  const start = {
    name: `${method} ${template}`,
    kind: "client",
    parent: parseTraceparent(context.traceparent),
    attributes: {
      "http.request.method": method,
      "server.address": url.hostname,
      "server.port": Number(url.port) || (url.protocol === "https:" ? 443 : 80),
      "url.full": url.href,
      "url.template": template,
      "parallax.order_id": order_id,
    },
  } as const;
  return await inSpan(tracing, start, async (span) => {
    const answer = await call({ ...context, traceparent: traceparent(span.context) });
    span.set({ "http.response.status_code": answer.status });
    if (answer.status >= 400) span.fail(String(answer.status));
    return answer;
  });
}
