/** What a service shows of its work, wherever it runs: its metrics and its log. */

import { waitFor } from "@parallax/testkit";

/**
 * A sample of a service's /metrics; 0 while there is none.
 * @param label as Prometheus writes it, such as `what="handle"`
 */
export async function metricOf(url: string, name: string, label = ""): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5000) })).text();
  for (const line of text.split("\n")) {
    const [, sample, labels = "", value] = /^(\w+)(\{[^}]*\})? (\S+)$/.exec(line) ?? [];
    if (sample === name && labels.includes(label)) return Number(value);
  }
  return 0;
}

/** How often each of these orders had been received when it was processed, once the processor's log tells it of all. */
export async function receiveCounts(
  log: () => Promise<string>,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const wanted = new Set(ids);
  return await waitFor("the log to tell of all orders", async () => {
    const counts = new Map<string, number>();
    for (const line of (await log()).split("\n")) {
      const [json] = /\{.*"order processed".*\}/.exec(line) ?? [];
      if (!json) continue;
      const { order_id, receive_count } = JSON.parse(json) as { order_id: string; receive_count: number };
      if (wanted.has(order_id)) counts.set(order_id, Math.max(counts.get(order_id) ?? 0, receive_count));
    }
    return counts.size === wanted.size && counts;
  });
}
