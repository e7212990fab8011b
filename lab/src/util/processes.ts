/**
 * Facts about processes by pid. A pid alone does not name a process, it may be used again: `startMark` tells two holders
 * of the same pid apart, also across a reboot.
 */
import { execFile, execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { promisify } from "node:util";

/** A process that can be found again later, or found to be gone. */
export interface ProcessMark {
  pid: number;
  start: string;
}

export interface ProcessRow {
  pid: number;
  parent: number;
  /** Resident memory in bytes. */
  rss: number;
  /**
   * Processor time taken since its start, user and system. On Linux with that of the children that have ended and that it
   * has waited for, so that a tree's sum does not shrink with its leaves.
   */
  cpuSeconds: number;
}

const pageSize = 4096;
/** The unit of times in /proc, the same on every Linux (USER_HZ). */
const ticksPerSecond = 100;
const execFileAsync = promisify(execFile);

/** When the process was started, as an opaque text; undefined when there is no such process (a zombie is none). */
export function startMark(pid: number): string | undefined {
  if (process.platform === "linux") {
    const fields = statFields(pid);
    if (fields === undefined || fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${bootId()}:${fields[19]}`;
  }
  if (process.platform === "win32") return isAlive(pid) ? "unknown" : undefined;
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where pids mean the same as here, as an opaque text: this boot of this machine and, in a container, this container.
 * Undefined where the system does not tell, which only Linux does.
 */
export function pidSpace(): string | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const [namespace] = /\d+/.exec(readlinkSync("/proc/self/ns/pid")) ?? [];
    return namespace === undefined ? undefined : `${boot}.${namespace}`;
  } catch {
    return undefined;
  }
}

/** True while exactly that process is alive. */
export function isSame(mark: ProcessMark): boolean {
  return startMark(mark.pid) === mark.start;
}

/** True while some process has this pid, ours or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Sends a signal and does not mind when nobody is there. A negative pid means a process group. */
export function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ESRCH: gone already, which is what was wanted; EPERM: not ours, so not to be touched.
  }
}

/** Every process of the machine; empty where the system does not tell. */
export async function processTable(): Promise<ProcessRow[]> {
  if (process.platform === "linux") {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const fields = statFields(Number(name));
        if (fields === undefined) return [];
        return [
          {
            pid: Number(name),
            parent: Number(fields[1]),
            rss: Number(fields[21]) * pageSize,
            // utime, stime, cutime and cstime of proc(5).
            cpuSeconds: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond,
          },
        ];
      });
  }
  if (process.platform === "win32") return [];
  const { stdout } = await execFileAsync("ps", ["-axo", "pid=,ppid=,rss=,time="]);
  return stdout.split("\n").flatMap((line) => {
    const [pid, parent, kilobytes, time] = line.trim().split(/\s+/);
    if (pid === undefined || parent === undefined || kilobytes === undefined || time === undefined) return [];
    const cpuSeconds = time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
    return [{ pid: Number(pid), parent: Number(parent), rss: Number(kilobytes) * 1024, cpuSeconds }];
  });
}

/** The process and everything below it. */
export function processTree(table: readonly ProcessRow[], root: number): ProcessRow[] {
  const children = Map.groupBy(table, (row) => row.parent);
  const tree = table.filter((row) => row.pid === root);
  // The list grows while it is walked.
  for (const row of tree) tree.push(...(children.get(row.pid) ?? []));
  return tree;
}

/** A process' command line, shortened, for people; undefined where the system does not tell. */
export function commandLine(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return text.length > 120 ? `${text.slice(0, 117)}...` : text;
  } catch {
    return undefined;
  }
}

/** Fields of /proc/<pid>/stat from the state on: the name before it may hold spaces and brackets. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

let cachedBootId: string | undefined;
function bootId(): string {
  try {
    cachedBootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    cachedBootId ??= "unknown-boot";
  }
  return cachedBootId;
}
