/**
 * Reads bundles, and believes none unseen: files against the manifest's digests, contents against their form. What is damaged,
 * edited, older or not finished is named with its reason and left out; it never ends the command that reads.
 */

import { readdir, readFile, realpath } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { Histogram } from "hdr-histogram-js";
import { z } from "zod";
import { hasCode, messageOf } from "../cli/lab-error.ts";
import { assertPlainFile, BUNDLE_NAME, digest, FORMAT, listFiles, MANIFEST, UNFINISHED } from "./bundle.ts";
import { metricsOf } from "./figures.ts";
import { readLatencyLog } from "./latency.ts";
import { type RunRecord, runRecordSchema, type VerdictRecord, verdictRecordSchema } from "./run-record.ts";

export interface ReadBundle {
  readonly directory: string;
  readonly run: RunRecord;
  /** Absent in a run that did not come to its end. */
  readonly verdict: VerdictRecord | undefined;
  /** By name, as in `metricsOf`; empty without figures. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Latency histograms in microseconds by `<step>/<operation>`, to be merged with those of other runs. */
  histograms(): Promise<Map<string, Histogram>>;
}

export interface SkippedBundle {
  readonly directory: string;
  /** Why it is left out, in a sentence. */
  readonly reason: string;
}

const formatSchema = z.object({ format: z.int() });

const manifestSchema = formatSchema.extend({
  files: z.record(z.string(), z.object({ bytes: z.int(), sha256: z.string() })),
});

/** Absolute paths, without any links, of all bundles at or below a directory, oldest first; also those that are damaged. */
export async function findBundles(directory: string): Promise<string[]> {
  // One name for each, however it was written, links followed: some are named twice.
  const path = await realpath(directory).catch(() => resolve(directory));
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const names = new Set(entries.map(({ name }) => name));
  if (names.has("run.json") || names.has(MANIFEST) || BUNDLE_NAME.test(basename(path))) return [path];
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map(({ name }) => findBundles(join(path, name))),
  );
  return below.flat().sort((a, b) => basename(a).localeCompare(basename(b)));
}

/** Never rejects for what is in the bundle. */
export async function readBundle(directory: string): Promise<ReadBundle | SkippedBundle> {
  try {
    return await read(directory);
  } catch (error) {
    return { directory, reason: messageOf(error) };
  }
}

export function isSkipped(bundle: ReadBundle | SkippedBundle): bundle is SkippedBundle {
  return "reason" in bundle;
}

/**
 * Why a bundle's figures may not be compared; undefined when they may.
 */
export function unfitReason({ run, verdict }: ReadBundle): string | undefined {
  if (run.state === "failed") return `The run failed: ${run.error ?? "it did not say why"}`;
  if (run.state === "interrupted") return "The run was interrupted.";
  if (!verdict || !run.figures) return "The run has no verdict or no figures.";
  if (verdict.correctness.outcome !== "held") return `Its correctness is ${verdict.correctness.outcome}.`;
  if (verdict.performance.outcome !== "valid") {
    return `Its figures are INVALID: ${verdict.performance.reasons.join("; ")}.`;
  }
  return undefined;
}

async function read(directory: string): Promise<ReadBundle> {
  if (basename(directory).endsWith(UNFINISHED))
    throw new Error("The run has not ended, or was cut off before it could.");
  const manifest = await readManifest(directory);
  await checkFiles(directory, manifest.files);
  const run = await readJson(directory, "run.json", runRecordSchema);
  const verdict =
    "verdict.json" in manifest.files
      ? await readJson(directory, "verdict.json", verdictRecordSchema)
      : undefined;
  return {
    directory,
    run,
    verdict,
    metrics: run.figures ? metricsOf(run.figures) : {},
    histograms: async () => readLatencyLog(await readFile(join(directory, "latency.hlog"), "utf8")),
  };
}

async function readManifest(directory: string) {
  const text = await readPlainFile(directory, MANIFEST);
  if (text !== undefined) {
    // The number first: of another format nothing else is known.
    const { format } = parseJson(MANIFEST, text, formatSchema);
    if (format !== FORMAT) throw otherFormat(format);
    return parseJson(MANIFEST, text, manifestSchema);
  }
  // Bundles of the first format have none.
  const { format } = await readJson(directory, "run.json", formatSchema);
  throw format === FORMAT ? new Error(`${MANIFEST} is missing.`) : otherFormat(format);
}

function otherFormat(format: number): Error {
  const age = format < FORMAT ? "older" : "newer";
  return new Error(`It is of the ${age} format ${format}; this lab reads format ${FORMAT}.`);
}

async function checkFiles(directory: string, files: z.output<typeof manifestSchema>["files"]): Promise<void> {
  const present = await listFiles(directory);
  const added = present.find((file) => file !== MANIFEST && !Object.hasOwn(files, file));
  if (added) throw new Error(`${added} was added to it after the run.`);
  for (const [file, { bytes, sha256 }] of Object.entries(files)) {
    if (!present.includes(file)) throw new Error(`${file} is missing.`);
    const found = await digest(join(directory, file));
    if (found.bytes !== bytes || found.sha256 !== sha256)
      throw new Error(`${file} is not what the run wrote.`);
  }
}

async function readJson<S extends z.ZodType>(
  directory: string,
  file: string,
  schema: S,
): Promise<z.output<S>> {
  const text = await readPlainFile(directory, file);
  if (text === undefined) throw new Error(`${file} is missing.`);
  return parseJson(file, text, schema);
}

/** @throws Error for what is there and no plain file */
async function readPlainFile(directory: string, file: string): Promise<string | undefined> {
  const path = join(directory, file);
  try {
    await assertPlainFile(path);
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return undefined;
    throw error;
  }
}

function parseJson<S extends z.ZodType>(file: string, text: string, schema: S): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${file} is no JSON.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${file} is not of the expected form: ${issue?.path.join(".")} ${issue?.message}.`);
}
