/**
 * A run's bundle: a directory that is written once and never edited. It is written under a name that ends in `.unfinished`
 * and renamed when it is whole. Its last file, `manifest.json`, lists the others with their sizes and digests, and all are
 * made read-only, so that a reader can tell a bundle that was damaged or edited from one that was not.
 */

import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, lstat, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { hasCode } from "../cli/lab-error.ts";

export const UNFINISHED = ".unfinished";
/** Counts up with each change that an older reader would misread. */
export const FORMAT = 2;
export const MANIFEST = "manifest.json";
/** The names that bundles have: see `Bundle.begin`. */
export const BUNDLE_NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z(\.unfinished)?$/;

export interface Manifest {
  readonly format: number;
  /** By path below the bundle, with `/`. */
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

/** Held back so that a run that has filled the disk can still say so. */
const RESERVE = "reserve";
const RESERVE_BYTES = 1 << 20;

export class Bundle {
  /** Where it is written now. */
  readonly directory: string;
  readonly #final: string;

  private constructor(final: string) {
    this.#final = final;
    this.directory = final + UNFINISHED;
  }

  /** `<root>/<environment>/<system>/<experiment>/<UTC time>` */
  static async begin(root: string, path: readonly [string, string, string], at: Date): Promise<Bundle> {
    const parent = join(root, ...path);
    await mkdir(parent, { recursive: true });
    // To the millisecond, so that two runs in a second do not meet; ISO times sort by name, colons are no file names.
    const bundle = new Bundle(join(parent, at.toISOString().replaceAll(":", "-")));
    await mkdir(bundle.directory);
    try {
      await writeFile(bundle.path(RESERVE), Buffer.alloc(RESERVE_BYTES, 1));
    } catch (error) {
      await rm(bundle.directory, { recursive: true });
      throw error;
    }
    return bundle;
  }

  path(file: string): string {
    return join(this.directory, file);
  }

  /** Once; the file is there whole or, when it could not be written, not at all. */
  async writeJson(file: string, value: unknown): Promise<void> {
    const text = `${JSON.stringify(value, null, 2)}\n`;
    await this.#whole(file, (path) => writeFile(path, text, { flag: "wx" }));
  }

  /** Replaces a file by `<file>.gz`; keeps it when that cannot be written. An absent file is left out. */
  async compress(file: string): Promise<void> {
    const from = this.path(file);
    if ((await stat(from).catch(() => undefined)) === undefined) return;
    await this.#whole(`${file}.gz`, (path) =>
      pipeline(createReadStream(from), createGzip({ level: 4 }), createWriteStream(path, { flags: "wx" })),
    );
    await rm(from);
  }

  /** Takes back a file that turned out not to be true. */
  async discard(file: string): Promise<void> {
    await rm(this.path(file), { force: true });
  }

  /** Gives back what was held back; before the last words of a run that has failed. */
  async releaseReserve(): Promise<void> {
    await rm(this.path(RESERVE), { force: true });
  }

  /** Writes the manifest, seals the files and gives the bundle its name. Resolves to where it now is. */
  async finish(): Promise<string> {
    await this.releaseReserve();
    const files = await listFiles(this.directory);
    const manifest: Manifest = {
      format: FORMAT,
      files: Object.fromEntries(
        await Promise.all(files.map(async (file) => [file, await digest(this.path(file))] as const)),
      ),
    };
    await this.writeJson(MANIFEST, manifest);
    for (const file of [...files, MANIFEST]) await chmod(this.path(file), 0o444);
    await rename(this.directory, this.#final);
    return this.#final;
  }

  async #whole(file: string, write: (path: string) => Promise<void>): Promise<void> {
    try {
      await write(this.path(file));
    } catch (error) {
      if (!hasCode(error, "EEXIST")) await this.discard(file);
      throw error;
    }
  }
}

/** Paths of the files below a directory, with `/`, sorted. */
export async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}

/**
 * A run writes plain files. Behind a link is a file that may change after the run, and reading a pipe may never end.
 * @throws Error that names the file
 */
export async function assertPlainFile(path: string): Promise<void> {
  if (!(await lstat(path)).isFile()) throw new Error(`${basename(path)} is no plain file.`);
}

/** @throws Error for what is no plain file */
export async function digest(path: string): Promise<{ bytes: number; sha256: string }> {
  await assertPlainFile(path);
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}
