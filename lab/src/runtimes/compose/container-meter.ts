/**
 * What a container takes. Where its cgroup can be read from here that is done, which costs a fraction of a millisecond and
 * the engine nothing. Where the engine runs elsewhere (another machine, Docker Desktop's own, outside the container that
 * the lab is worked on in) it is asked for the same figures, which costs it about a millisecond a container.
 */
import { readFileSync } from "node:fs";
import type Docker from "dockerode";
import { type Cgroup, Cgroups, processesOf, readCgroup } from "../../util/cgroups.ts";
import type { Usage } from "../runtime.ts";

/** What does not change in a container's life. */
interface Known {
  /** Undefined when it cannot be read from here. */
  readonly group: Cgroup | undefined;
  /** False when it is in the network of the machine, or of another container. */
  readonly ownNetwork: boolean;
  readonly quota: boolean;
}

/** Of a part that does not run. */
export const noUsage: Usage = {
  cpu_seconds: null,
  memory_mb: null,
  network_rx_bytes: null,
  network_tx_bytes: null,
  throttled_seconds: null,
};

export class ContainerMeter {
  readonly #cgroups: Cgroups;
  readonly #known = new Map<string, Known>();

  /** @param cgroups those of this machine; ones in which no container is found leave everything to the engine */
  constructor(cgroups = new Cgroups()) {
    this.#cgroups = cgroups;
  }

  /**
   * `noUsage` for a container that does not run or has been removed.
   * @param inspected spares a question to the engine when the container is new to this meter
   */
  async read(handle: Docker.Container, inspected?: Docker.ContainerInspectInfo): Promise<Usage> {
    const known = this.#known.get(handle.id) ?? this.#learn(inspected ?? (await inspect(handle)));
    if (known === undefined) return noUsage;
    return known.group ? fromKernel(known.group, known) : await fromEngine(handle, known);
  }

  /** Undefined while it does not run. */
  #learn(inspected: Docker.ContainerInspectInfo | undefined): Known | undefined {
    if (!inspected?.State.Running) return undefined;
    const { Id, State, HostConfig } = inspected;
    const group = this.#cgroups.of(State.Pid);
    const { NetworkMode: network = "" } = HostConfig;
    const known: Known = {
      // The pid may mean another process here than where the engine is; the id in the path means this container alone.
      group: group?.memory.includes(Id) ? group : undefined,
      ownNetwork: network !== "host" && !network.startsWith("container:"),
      quota: Boolean(HostConfig.NanoCpus || (HostConfig.CpuQuota ?? 0) > 0),
    };
    this.#known.set(Id, known);
    return known;
  }
}

/** Undefined when it has been removed. */
export async function inspect(handle: Docker.Container): Promise<Docker.ContainerInspectInfo | undefined> {
  return await handle.inspect().catch((error: unknown) => {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  });
}

/** The group has the same path in each life of its container, and is not there in between. */
function fromKernel(group: Cgroup, { ownNetwork }: Known): Usage {
  const read = readCgroup(group);
  if (read === undefined) return noUsage;
  const network = ownNetwork ? networkOf(processesOf(group)) : undefined;
  return {
    cpu_seconds: read.cpuSeconds,
    memory_mb: mebibytes(read.memoryBytes),
    network_rx_bytes: network?.received ?? null,
    network_tx_bytes: network?.sent ?? null,
    throttled_seconds: read.throttledSeconds,
  };
}

/** What dockerode does not type: fields that are absent from the answer for a container that does not run. */
type Stats = Omit<Docker.ContainerStats, "memory_stats" | "networks"> & {
  memory_stats: Partial<Docker.MemoryStats>;
  networks?: Docker.NetworkStats;
};

async function fromEngine(handle: Docker.Container, { quota }: Known): Promise<Usage> {
  // One sample, at once: without it the engine waits a second for a second one.
  const options = { stream: false, "one-shot": true } as const;
  const stats: Stats | undefined = await handle.stats(options).catch((error: unknown) => {
    // 404: it has been removed; 409: it is being so.
    if ([404, 409].includes((error as { statusCode?: number }).statusCode ?? 0)) return undefined;
    throw error;
  });
  const { usage, stats: details } = stats?.memory_stats ?? {};
  if (stats === undefined || usage === undefined) return noUsage;
  // Page cache that could be dropped at once, under the names of both versions of cgroups.
  const cache = details?.total_inactive_file ?? details?.inactive_file ?? 0;
  const networks = stats.networks && Object.values(stats.networks);
  return {
    cpu_seconds: stats.cpu_stats.cpu_usage.total_usage / 1e9,
    memory_mb: mebibytes(usage - cache),
    network_rx_bytes: networks?.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0) ?? null,
    network_tx_bytes: networks?.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0) ?? null,
    throttled_seconds: quota ? stats.cpu_stats.throttling_data.throttled_time / 1e9 : null,
  };
}

/** Of the first process that is still there: they share a network namespace. */
function networkOf(pids: readonly number[]): { received: number; sent: number } | undefined {
  for (const pid of pids) {
    try {
      return networkCounters(readFileSync(`/proc/${pid}/net/dev`, "utf8"));
    } catch {
      // It has ended since the group was listed, as the process of a health check may.
    }
  }
  return undefined;
}

/** Lines of `<interface>: <bytes received> … <bytes sent, the ninth number> …` after two of headings. */
function networkCounters(text: string): { received: number; sent: number } {
  const total = { received: 0, sent: 0 };
  for (const line of text.split("\n")) {
    const [, name, numbers = ""] = /^\s*([^:\s]+):(.*)$/.exec(line) ?? [];
    if (name === undefined || name === "lo") continue;
    const counters = numbers.trim().split(/\s+/).map(Number);
    total.received += counters[0] ?? 0;
    total.sent += counters[8] ?? 0;
  }
  return total;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
