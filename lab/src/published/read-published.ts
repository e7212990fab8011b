/** Reads one of the files of lab/data/published, which are copies of what was published and are never edited. */
import { join } from "node:path";
import type { z } from "zod";
import { dataDir, readDataFile } from "../util/data-file.ts";

/** Where the published figures are. */
export const publishedDir = join(dataDir, "published");

/** @throws LabError DATA_DAMAGED that names file and field */
export function readPublished<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  directory: string = publishedDir,
): z.output<Schema> {
  return readDataFile(join(directory, file), schema);
}
