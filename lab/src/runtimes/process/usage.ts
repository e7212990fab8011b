/** What a part of the process runtime takes: its process and everything below it. */
import { type Cgroup, type Cgroups, throttledSeconds } from "../../util/cgroups.ts";
import { type ProcessRow, processTree } from "../../util/processes.ts";
import type { Usage } from "../runtime.ts";

/**
 * @param table one for all parts, since making it is what costs
 * @param pid of the part's main process, undefined when it does not run
 */
export function usageOf(table: readonly ProcessRow[], pid: number | undefined, cgroups: Cgroups): Usage {
  const tree = pid === undefined ? [] : processTree(table, pid);
  const group = tree.length === 0 || pid === undefined ? undefined : cgroups.of(pid);
  const bytes = tree.reduce((sum, { rss }) => sum + rss, 0);
  return {
    cpu_seconds: tree.length === 0 ? null : tree.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    memory_mb: bytes === 0 ? null : Math.round(bytes / 2 ** 20),
    network_rx_bytes: null,
    network_tx_bytes: null,
    throttled_seconds: group === undefined || isShared(group, cgroups) ? null : throttledSeconds(group),
  };
}

/** With this process, and so with every other part: what the group is throttled by is no part's own. */
function isShared(group: Cgroup, cgroups: Cgroups): boolean {
  return cgroups.of(process.pid)?.cpu === group.cpu;
}
