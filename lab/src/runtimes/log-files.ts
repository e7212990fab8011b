/**
 * The parts' log files, `<logs>/<part>.log`. Child processes write to them directly, so a lab under load does not funnel
 * its output through one process; containers' logs are put there when the containers are removed. A file is bounded: at a new `up`, and when it grows beyond the limit, its content moves to
 * `<part>.log.1`. A line written in the instant of that move may be lost.
 */
import {
  closeSync,
  copyFileSync,
  fstatSync,
  globSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { hasCode } from "../cli/lab-error.ts";
import type { LogLine, LogsOptions } from "./runtime.ts";

const sizeLimit = 16 * 1024 * 1024;
const tailBytes = 256 * 1024;

export function logFile(logs: string, part: string): string {
  return join(logs, `${part}.log`);
}

/** Names of the parts that have a log, in alphabetical order. */
export function keptLogs(logs: string): string[] {
  const files = globSync("*.log", { cwd: logs });
  return files.map((file) => file.slice(0, -".log".length)).sort();
}

/** Moves the part's former log aside, for a new start of the lab. */
export function archiveLog(logs: string, part: string): void {
  mkdirSync(logs, { recursive: true });
  const file = logFile(logs, part);
  if (sizeOf(file) === 0) return;
  rmSync(`${file}.1`, { force: true });
  renameSync(file, `${file}.1`);
}

/** A descriptor to append to the part's log; the caller closes it. */
export function openLog(logs: string, part: string): number {
  mkdirSync(logs, { recursive: true });
  return openSync(logFile(logs, part), "a", 0o600);
}

/** Copies a log that has outgrown its limit aside and empties it; its writers, who append, go on in the same file. */
export function boundLog(logs: string, part: string, limit = sizeLimit): void {
  const file = logFile(logs, part);
  if (sizeOf(file) <= limit) return;
  copyFileSync(file, `${file}.1`);
  truncateSync(file, 0);
}

/** The last lines of the part's log, at most `count`; none when there is no log. */
export function tailOf(logs: string, part: string, count: number): string[] {
  const { text } = readFrom(logFile(logs, part), Math.max(0, sizeOf(logFile(logs, part)) - tailBytes));
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return count <= 0 ? [] : lines.slice(-count);
}

/** Lines of several logs: the tail of each, then, when following, new ones as they are written. */
export async function* readLogs(
  logs: string,
  parts: readonly string[],
  options: LogsOptions,
): AsyncGenerator<LogLine> {
  const cursors = parts.map((part) => ({ part, offset: sizeOf(logFile(logs, part)), rest: "" }));
  for (const { part } of cursors) {
    for (const line of tailOf(logs, part, options.tail)) yield { part, line };
  }
  while (options.follow && !options.signal.aborted) {
    for (const cursor of cursors) {
      const file = logFile(logs, cursor.part);
      // Shorter than where we were: it was moved aside and begins anew.
      if (sizeOf(file) < cursor.offset) cursor.offset = 0;
      const { text, end } = readFrom(file, cursor.offset);
      cursor.offset = end;
      const lines = (cursor.rest + text).split("\n");
      cursor.rest = lines.pop() ?? "";
      for (const line of lines) yield { part: cursor.part, line };
    }
    await delay(150, undefined, { signal: options.signal }).catch(() => {});
  }
}

function readFrom(file: string, offset: number): { text: string; end: number } {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return { text: "", end: offset };
    throw error;
  }
  try {
    const length = Math.min(Math.max(0, fstatSync(descriptor).size - offset), 4 * tailBytes);
    const buffer = Buffer.alloc(length);
    const read = readSync(descriptor, buffer, 0, length, offset);
    return { text: buffer.subarray(0, read).toString("utf8"), end: offset + read };
  } finally {
    closeSync(descriptor);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
