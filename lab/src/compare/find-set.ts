/** The bundles of runs that were made in turns, by the id that `loadtest --repeat` gave them. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { assertPlainFile } from "../experiments/bundle.ts";
import { findBundles } from "../experiments/read-bundle.ts";

export interface FoundSet {
  readonly A: readonly string[];
  readonly B: readonly string[];
}

/** As much of run.json as it takes; the bundle is checked whole when it is loaded. */
const memberSchema = z.object({ set: z.object({ id: z.string(), side: z.enum(["A", "B"]) }) });

/** @param root directory above all bundles */
export async function findSet(id: string, root: string): Promise<FoundSet> {
  const found: Record<"A" | "B", string[]> = { A: [], B: [] };
  for (const directory of await findBundles(root)) {
    const member = memberSchema.safeParse(await readRun(directory));
    if (member.success && member.data.set.id === id) found[member.data.set.side].push(directory);
  }
  return found;
}

async function readRun(directory: string): Promise<unknown> {
  try {
    const path = join(directory, "run.json");
    await assertPlainFile(path);
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}
