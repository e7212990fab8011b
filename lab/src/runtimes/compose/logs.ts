/** Containers' logs: their ends, their lines as they come, and whole as files when the containers go. */
import { closeSync, writeSync } from "node:fs";
import type Docker from "dockerode";
import { archiveLog, openLog } from "../log-files.ts";
import type { LabContainer } from "./containers.ts";

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
