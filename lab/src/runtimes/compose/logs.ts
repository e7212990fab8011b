/** Containers' logs: their ends, their lines as they come, and whole as files when the containers go. */
import { closeSync, writeSync } from "node:fs";
import type Docker from "dockerode";
import { demultiplex } from "../../docker/log-frames.ts";
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
