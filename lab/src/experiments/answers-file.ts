/** Reading a file of JSON lines that another program wrote, perhaps while it is still writing. */

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { z } from "zod";
import { LOAD_BEGINS } from "./answer-lines.ts";

/**
 * Every line that fits the schema, and how many did not. An absent file has no lines.
 * @throws the system's error when the file is there and cannot be read
 */
export async function readJsonLines<S extends z.ZodType>(
  file: string,
  schema: S,
): Promise<{ values: z.output<S>[]; unreadable: number }> {
  const values: z.output<S>[] = [];
  let unreadable = 0;
  try {
    for await (const line of createInterface({
      input: createReadStream(file),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      if (line === "" || line.startsWith(LOAD_BEGINS)) continue;
      const parsed = schema.safeParse(parseJson(line));
      if (parsed.success) values.push(parsed.data);
      else unreadable += 1;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return { values, unreadable };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
