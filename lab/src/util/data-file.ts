/**
 * Data that comes with the lab as JSON files (lab/data): read, checked against a schema, or refused with an error that
 * names file and field.
 */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { z } from "zod";
import { LabError, messageOf } from "../cli/lab-error.ts";
import { rootDir } from "../paths.ts";

/** Where such files are: lab/data. */
export const dataDir = join(rootDir, "lab", "data");

/** @throws LabError DATA_DAMAGED: not there, no JSON, or a field that is missing, of another type or unknown */
export function readDataFile<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  const name = relative(rootDir, path).startsWith("..") ? path : relative(rootDir, path);
  const remedy = `Put it back as it was: "git checkout -- ${name}".`;
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new LabError("DATA_DAMAGED", `${name} cannot be read.`, {
      reason: messageOf(error),
      remedy,
      cause: error,
    });
  }
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const issues = result.error.issues.map(
    ({ path, message }) => `${path.join(".") || "the file"}: ${message}`,
  );
  throw new LabError("DATA_DAMAGED", `${name} is damaged at ${issues[0]}.`, {
    reason: "It does not have the fields that the lab reads from it.",
    remedy,
    detail: issues.slice(1, 20),
    cause: result.error,
  });
}
