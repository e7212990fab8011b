/** Small files with state in them: written whole or not at all, read as JSON or as nothing. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { hasCode } from "../cli/lab-error.ts";

/**
 * Replaces a file by JSON in one step, so that a reader never sees half of it, also after a crash.
 * @param mode permission bits, 0600 unless told
 */
export function writeJsonFile(path: string, value: unknown, mode = 0o600): void {
  writeTextFile(path, `${JSON.stringify(value, null, 2)}\n`, mode);
}

/** As writeJsonFile. */
export function writeTextFile(path: string, text: string, mode = 0o600): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, "wx", mode);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** The parsed content, or undefined when the file is missing or is no JSON; callers check the shape. */
export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (hasCode(error, "ENOENT") || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
