/** The end of what a function has written, and what it goes on to write. It is asked for: CloudWatch Logs sends nothing by itself. */

import { setTimeout as sleep } from "node:timers/promises";
import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { type FunctionLogLine, readLines } from "./invocations.ts";

export interface FunctionLogsOptions {
  /** Lines to begin with. */
  readonly tail: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
  readonly pollMs?: number;
}

/** What is older is not looked at: a group of logs has no end to begin from. */
const TAIL_MS = 3_600_000;
/** Lines may be shown so long after they were written. */
const LATE_MS = 10_000;

/** With `follow`, ends when the signal aborts. */
export async function* functionLogs(
  client: CloudWatchLogsClient,
  functionName: string,
  { tail, follow, signal, pollMs = 1000 }: FunctionLogsOptions,
): AsyncGenerator<string> {
  const first = await readLines(client, functionName, { since: Date.now() - TAIL_MS, signal });
  let seen = new Set(first.map(keyOf));
  yield* (tail > 0 ? first.slice(-tail) : []).map(({ line }) => line);
  while (follow && !signal.aborted) {
    await sleep(pollMs, undefined, { signal }).catch(() => {});
    // The emulator may be away for a moment: the next look tells.
    const lines = await readLines(client, functionName, { since: Date.now() - LATE_MS, signal }).catch(
      () => [],
    );
    for (const line of lines) if (!seen.has(keyOf(line))) yield line.line;
    if (lines.length > 0) seen = new Set(lines.map(keyOf));
  }
}

function keyOf({ at, line }: FunctionLogLine): string {
  return `${at} ${line}`;
}
