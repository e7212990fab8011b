/** Containers' logs: their ends, their lines as they come, and whole as files when the containers go. */
import { closeSync, writeSync } from "node:fs";
import type Docker from "dockerode";
import { LabError } from "../../cli/lab-error.ts";
import { demultiplex } from "../../docker/log-frames.ts";
import { archiveLog, keptLogs, openLog } from "../log-files.ts";
import type { LabContainer } from "./containers.ts";
import { partNames } from "./parts.ts";

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
 * Names of the parts of the last lab whose logs were kept: these, or all when none is named.
 * @throws LabError NO_SUCH_PART
 */
export function logsKept(logs: string, wanted: readonly string[]): string[] {
  const kept = keptLogs(logs).filter((name) => partNames.includes(name));
  const unknown = wanted.find((part) => !kept.includes(part));
  if (unknown !== undefined) {
    const has = kept.length === 0 ? 'Start the lab with "make up".' : `Name one of: ${kept.join(", ")}.`;
    throw new LabError("NO_SUCH_PART", `There is no log of "${unknown}".`, { remedy: has });
  }
  return wanted.length > 0 ? [...wanted] : kept;
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
