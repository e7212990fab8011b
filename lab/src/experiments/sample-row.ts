/** What parts and generator take, as columns of the metrics file. */

import type { PartUsage } from "../runtimes/runtime.ts";
import { type ProcessRow, processTree } from "../util/processes.ts";
import type { Row } from "./metrics-csv.ts";

/** Cumulative counters and resident memory of each part; what cannot be had, or does not run, is empty. */
export function partColumns(parts: readonly PartUsage[]): Row {
  return Object.fromEntries(
    parts.flatMap(({ name, ...usage }) => {
      const key = name.replaceAll("-", "_");
      return [
        [`${key}_cpu_s`, usage.cpu_seconds ?? undefined],
        [`${key}_memory_mb`, usage.memory_mb ?? undefined],
        [`${key}_network_rx_bytes`, usage.network_rx_bytes ?? undefined],
        [`${key}_network_tx_bytes`, usage.network_tx_bytes ?? undefined],
        [`${key}_throttled_s`, usage.throttled_seconds ?? undefined],
      ];
    }),
  );
}

/** Of the load generator's process and what it has started; undefined when it does not run. */
export function generatorUsage(table: readonly ProcessRow[], pid: number): PartUsage | undefined {
  const tree = processTree(table, pid);
  if (tree.length === 0) return undefined;
  return {
    name: "k6",
    cpu_seconds: tree.reduce((sum, row) => sum + row.cpuSeconds, 0),
    memory_mb: tree.reduce((sum, { rss }) => sum + rss, 0) / 2 ** 20,
    network_rx_bytes: null,
    network_tx_bytes: null,
    throttled_seconds: null,
  };
}
