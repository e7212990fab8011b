/**
 * What the kernel counts for a control group, in version 1 and version 2 of cgroups: the group that a process is in is
 * looked up once, then read as often as wanted, at the price of a few small files.
 *
 * - **hierarchy**: a tree of groups. Version 2 has one for all controllers; version 1 one for each, at its own mount.
 *   Both may be mounted; a controller is in exactly one of them.
 * - **quota**: the CPU time that a group may take in each period; it is *throttled* for the rest of the period after that.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where to read a group's counters. Directories; the same one three times in version 2. */
export interface Cgroup {
  readonly version: 1 | 2;
  readonly cpu: string;
  readonly cpuacct: string;
  readonly memory: string;
}

export interface CgroupUsage {
  /** User and system, of all processes that are or were in it. */
  readonly cpuSeconds: number;
  /** Without page cache that could be dropped at once; as the Docker engine's `stats` and command count it. */
  readonly memoryBytes: number;
  /** See throttledSeconds(). */
  readonly throttledSeconds: number | null;
}

interface Mount {
  /** The group that is mounted; that of this process' cgroup namespace at most. */
  readonly root: string;
  readonly at: string;
  /** Empty for version 2. */
  readonly controllers: readonly string[];
}

/** The hierarchies that this process sees. None where the system has no cgroups, which only Linux has. */
export class Cgroups {
  readonly #proc: string;
  #mounts: readonly Mount[] | undefined;

  /** @param proc where the process file system is mounted */
  constructor(proc = "/proc") {
    this.#proc = proc;
  }

  /** The group that the process is in; undefined when there is no such process, or its group cannot be seen from here. */
  of(pid: number): Cgroup | undefined {
    const text = readOrNothing(join(this.#proc, String(pid), "cgroup"));
    if (text === undefined) return undefined;
    // A line is `<id>:<controllers>:<path>`; that of version 2 names no controllers.
    const groups = text.split("\n").flatMap((line) => {
      const [, controllers, path] = /^\d+:([^:]*):(.+)$/.exec(line) ?? [];
      return path === undefined ? [] : [{ controllers: (controllers ?? "").split(","), path }];
    });
    const find = (controller: string) => {
      const group = groups.find(({ controllers }) => controllers.includes(controller));
      return group && this.#directory(controller, group.path);
    };
    const [cpu, cpuacct, memory] = [find("cpu"), find("cpuacct"), find("memory")];
    if (cpu && cpuacct && memory) return { version: 1, cpu, cpuacct, memory };
    const unified = find("");
    return unified === undefined
      ? undefined
      : { version: 2, cpu: unified, cpuacct: unified, memory: unified };
  }

  #directory(controller: string, path: string): string | undefined {
    this.#mounts ??= (readOrNothing(join(this.#proc, "self/mountinfo")) ?? "").split("\n").flatMap(mountOf);
    const mount = this.#mounts.find(({ controllers }) => controllers.includes(controller));
    // A path with dots leads out of this process' cgroup namespace, where nothing is mounted for it.
    if (mount === undefined || path.startsWith("/..")) return undefined;
    if (mount.root === "/") return join(mount.at, path);
    const below = path === mount.root || path.startsWith(`${mount.root}/`);
    return below ? join(mount.at, path.slice(mount.root.length)) : undefined;
  }
}

/** Undefined when the group is gone, or has no counters of its own for memory (the machine's root group has none). */
export function readCgroup(group: Cgroup): CgroupUsage | undefined {
  const v2 = group.version === 2;
  const cpu = v2
    ? number(field(readOrNothing(join(group.cpuacct, "cpu.stat")), "usage_usec"), 1e6)
    : number(readOrNothing(join(group.cpuacct, "cpuacct.usage")), 1e9);
  const memory = number(
    readOrNothing(join(group.memory, v2 ? "memory.current" : "memory.usage_in_bytes")),
    1,
  );
  const statistics = readOrNothing(join(group.memory, "memory.stat"));
  const cache = number(field(statistics, v2 ? "inactive_file" : "total_inactive_file"), 1);
  if (cpu === undefined || memory === undefined) return undefined;
  return {
    cpuSeconds: cpu,
    memoryBytes: Math.max(0, memory - (cache ?? 0)),
    throttledSeconds: throttledSeconds(group),
  };
}

/**
 * Time for which the group's own quota held it back, each processor's added up; null when it has none. The quota of a
 * group above it is not looked at.
 */
export function throttledSeconds({ version, cpu }: Cgroup): number | null {
  if (version === 2) {
    // `<quota> <period>`; the root group has no such file.
    const quota = readOrNothing(join(cpu, "cpu.max"));
    if (quota === undefined || quota.startsWith("max")) return null;
    return number(field(readOrNothing(join(cpu, "cpu.stat")), "throttled_usec"), 1e6) ?? null;
  }
  const quota = Number(readOrNothing(join(cpu, "cpu.cfs_quota_us")) ?? -1);
  if (quota < 0) return null;
  return number(field(readOrNothing(join(cpu, "cpu.stat")), "throttled_time"), 1e9) ?? null;
}

/** Ids of the group's processes, as they are known here; 0 stands for one of another pid namespace. */
export function processesOf({ memory }: Cgroup): number[] {
  return (readOrNothing(join(memory, "cgroup.procs")) ?? "").split("\n").filter(Boolean).map(Number);
}

/** A line of /proc/self/mountinfo: id, parent, device, root, mount point, options, "-", type, source, options. */
function mountOf(line: string): Mount[] {
  const [mount = "", filesystem = ""] = line.split(" - ");
  const [, , , root = "", at = ""] = mount.split(" ").map(decoded);
  const [type, , options = ""] = filesystem.split(" ");
  if (type === "cgroup2") return [{ root, at, controllers: [""] }];
  return type === "cgroup" ? [{ root, at, controllers: options.split(",") }] : [];
}

/** Blanks and the like are written as three octal digits. */
function decoded(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The number of a line `<name> <number>`. */
function field(text: string | undefined, name: string): string | undefined {
  return text
    ?.split("\n")
    .find((line) => line.startsWith(`${name} `))
    ?.slice(name.length + 1);
}

function number(text: string | undefined, unit: number): number | undefined {
  const value = Number.parseInt(text ?? "", 10);
  return Number.isNaN(value) ? undefined : value / unit;
}

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
