/** A trace as a person reads it. */

import type { CollectedSpan } from "@parallax/testkit";

/** The spans below `parent` as `service kind name`, each followed by those below it, siblings in the order in which they began. */
export function traceTree(spans: readonly CollectedSpan[], parent: string): unknown[] {
  return spans
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .toSorted((a, b) => a.startMs - b.startMs)
    .flatMap(({ service, kind, name, spanId }) => {
      const below = traceTree(spans, spanId);
      const line = `${service.replace("orders-", "")} ${kind} ${name}`;
      return below.length > 0 ? [line, below] : [line];
    });
}
