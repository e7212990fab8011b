/**
 * Following logs by part, not by container: the engine ends a container's stream when that dies or is replaced, and who
 * follows a part wants to see its next life too.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import Docker from "dockerode";
import type { LogLine } from "../runtime.ts";

export interface FollowOptions {
  readonly parts: readonly string[];
  /** Lines of each part to begin with. */
  readonly tail: number;
  readonly signal: AbortSignal;
  /** The part's container as it is now, undefined when it has none. */
  find(part: string): Promise<Docker.Container | undefined>;
}

/** Lines that wait for a slow reader; beyond them the containers' logs are read no further. */
const mostWaiting = 1_000;
const pollInterval = 200;

/** Ends when `signal` aborts. */
export async function* followLogs(options: FollowOptions): AsyncGenerator<LogLine> {
  const left = new AbortController();
  const signal = AbortSignal.any([options.signal, left.signal]);
  const merged = new PassThrough({ objectMode: true, highWaterMark: mostWaiting });
  const put = async (line: LogLine) => {
    if (!merged.write(line)) await once(merged, "drain", { signal });
  };
  const followers = options.parts.map((part) => followPart(part, { ...options, signal }, put));
  void Promise.allSettled(followers).then(() => merged.end());
  try {
    yield* merged;
  } finally {
    left.abort();
    merged.destroy();
  }
}

async function followPart(
  part: string,
  { tail, signal, find }: FollowOptions,
  put: (line: LogLine) => Promise<void>,
): Promise<void> {
  let last: string | undefined;
  while (!signal.aborted) {
    try {
      const container = await find(part);
      const lines = container && (await open(container, last, tail, signal));
      for await (const stamped of lines ?? []) {
        const at = timeOf(stamped);
        if (at !== undefined && last !== undefined && at <= last) continue;
        last = at ?? last;
        await put({ part, line: at === undefined ? stamped : stamped.slice(stamped.indexOf(" ") + 1) });
      }
      // With nothing seen yet, what comes next is new: the tail was shown.
      last ??= container && timeOf(new Date().toISOString());
    } catch {
      // Aborted, or the engine is away: the next look tells.
    }
    await delay(pollInterval, undefined, { signal }).catch(() => {});
  }
}

/** Each line begins with its time and a space. */
async function open(
  container: Docker.Container,
  last: string | undefined,
  tail: number,
  signal: AbortSignal,
): Promise<AsyncIterable<string>> {
  const from = last === undefined ? { tail } : { since: Math.floor(Date.parse(last) / 1_000) };
  const options = {
    stdout: true,
    stderr: true,
    timestamps: true,
    abortSignal: signal,
    ...from,
  };
  const raw = await container.logs({ ...options, follow: true });
  const text = new PassThrough();
  new Docker().modem.demuxStream(raw, text, text);
  for (const event of ["end", "close", "error"]) raw.once(event, () => text.end());
  signal.addEventListener("abort", () => text.end(), { once: true });
  return createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY });
}

/** The engine leaves out zeros at the end of a fraction; with all nine digits, times compare as texts. */
function timeOf(line: string): string | undefined {
  const [, seconds, fraction = ""] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z/.exec(line) ?? [];
  return seconds && `${seconds}.${fraction.padEnd(9, "0")}Z`;
}
