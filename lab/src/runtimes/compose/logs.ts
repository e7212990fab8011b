/** Containers' logs, line by line, several merged into one stream; and kept as files when the containers go. */

import { closeSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { PassThrough, type Readable } from "node:stream";
import Docker from "dockerode";
import { archiveLog, openLog } from "../log-files.ts";
import type { LogLine, LogsOptions } from "../runtime.ts";
import type { LabContainer } from "./containers.ts";

/** Lines kept for a reader that is slower than the containers; beyond them a container is read no further. */
const mostWaiting = 10_000;

/** Oldest first within a part. Without `follow`, one part after the other; with it, as they come. */
export async function* readContainerLogs(
  containers: readonly LabContainer[],
  { follow, tail, signal }: Omit<LogsOptions, "parts">,
): AsyncGenerator<LogLine> {
  if (!follow) {
    for (const { name, handle } of containers) {
      for (const line of await tailOf(handle, tail)) yield { part: name, line };
    }
    return;
  }
  const streams = await Promise.all(
    containers.map(async ({ name, handle }) => ({ name, lines: await followLog(handle, tail, signal) })),
  );
  yield* merge(streams, signal);
}

/** The last lines of both its streams; nothing for a container that is gone. */
export async function tailOf(handle: Docker.Container, lines: number): Promise<string[]> {
  try {
    const raw = await handle.logs({ stdout: true, stderr: true, tail: lines, follow: false });
    return demultiplex(raw as unknown as Buffer)
      .trimEnd()
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}

/**
 * Writes the container's whole log, which the engine bounds, to `<logs>/<part>.log`.
 * Never rejects: a log that cannot be kept is no reason to keep a container.
 */
export async function keepLog({ name, handle }: LabContainer, logs: string): Promise<void> {
  try {
    const raw = await handle.logs({ stdout: true, stderr: true, follow: false });
    archiveLog(logs, name);
    const file = openLog(logs, name);
    try {
      writeSync(file, demultiplex(raw as unknown as Buffer));
    } finally {
      closeSync(file);
    }
  } catch {
    // A full disk, or the engine has lost it.
  }
}

async function followLog(handle: Docker.Container, tail: number, signal: AbortSignal): Promise<Readable> {
  const raw = await handle.logs({ stdout: true, stderr: true, tail, follow: true, abortSignal: signal });
  const text = new PassThrough();
  new Docker().modem.demuxStream(raw, text, text);
  raw.on("end", () => text.end());
  raw.on("error", () => text.end());
  signal.addEventListener("abort", () => text.end(), { once: true });
  return text;
}

async function* merge(
  streams: readonly { name: string; lines: Readable }[],
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const waiting: LogLine[] = [];
  let open = streams.length;
  let wake = () => {};
  for (const { name, lines } of streams) {
    const reader = createInterface({ input: lines, crlfDelay: Number.POSITIVE_INFINITY });
    reader.on("line", (line) => {
      waiting.push({ part: name, line });
      if (waiting.length > mostWaiting) lines.pause();
      wake();
    });
    reader.on("close", () => {
      open -= 1;
      wake();
    });
  }
  while (!signal.aborted) {
    const line = waiting.shift();
    if (line !== undefined) {
      yield line;
      if (waiting.length === 0) for (const { lines } of streams) lines.resume();
      continue;
    }
    if (open === 0) return;
    await new Promise<void>((resolve) => {
      wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

/** The engine puts eight bytes before each piece: the stream's number, three zeros, the piece's length. */
function demultiplex(raw: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= raw.length; ) {
    const length = raw.readUInt32BE(at + 4);
    pieces.push(raw.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(pieces).toString("utf8");
}
