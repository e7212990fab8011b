/**
 * All images of the lab in one file, and back: for machines without a network. The file is what `docker save` writes,
 * compressed with zstd by Node itself, with a checksum; `zstd -d` and `docker load` read it too.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  closeSync,
  createReadStream,
  createWriteStream,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Readable, Transform, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { hasCode, LabError, messageOf } from "../cli/lab-error.ts";
import { dockerEnvironment } from "../docker/cli.ts";
import type { Engine } from "../docker/engine.ts";
import type { LabEvent } from "../runtimes/runtime.ts";
import { profiles, type Settings } from "../settings.ts";
import { findProgram } from "../util/run-command.ts";
import { type BackingServer, backingImages } from "./catalogue.ts";
import { findLocal, type Wish } from "./choose-images.ts";
import { engineImages, findImage, type ImageSource, type LocalImage } from "./local-images.ts";
import { backingWish } from "./resolve-images.ts";
import { nodeWish, serviceReference } from "./service-image.ts";

interface TransferOptions {
  readonly engine: Engine;
  readonly file: string;
  readonly signal: AbortSignal;
  /** Uncompressed bytes so far. */
  readonly onBytes: (bytes: number) => void;
  /** How long to go on without progress. */
  readonly patience?: Patience;
}

/** In milliseconds. */
interface Patience {
  /** Between two pieces. */
  readonly movingMs: number;
  /** Before the first piece of a save and after the last of a load: the engine packs or unpacks all layers then. */
  readonly packingMs: number;
}

export interface SaveOptions extends TransferOptions {
  readonly root: string;
  readonly settings: Settings;
  readonly onEvent: (event: LabEvent) => void;
}

const usualPatience: Patience = { movingMs: 120_000, packingMs: 600_000 };
const zstdMagic = 0x28b52ffd;

export function defaultArchive(labDir: string): string {
  return join(labDir, "images", "parallax-images.tar.zst");
}

/**
 * Everything that the lab would use and that is here. The file appears under its name only when whole.
 * @throws LabError PREREQUISITE_MISSING when there is no image; COMMAND_FAILED when it cannot be written
 */
export async function saveImages(options: SaveOptions): Promise<{ references: string[]; bytes: number }> {
  const { engine, file, signal, onBytes, onEvent } = options;
  const { references, absent } = await imagesToSave(engineImages(engine), options);
  if (references.length === 0) {
    throw new LabError("PREREQUISITE_MISSING", "There is nothing to save.", {
      reason: `None of the lab's images is here: ${absent.join(", ")}.`,
      remedy: '"make up" pulls or builds them; "make images" builds them from packages.',
    });
  }
  for (const name of absent) onEvent({ kind: "warn", text: `There is no image for ${name}: it is left out` });
  onEvent({ kind: "begin", text: `Saving ${references.join(", ")}` });
  // Of its own: somebody else may be saving there, too.
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    await withDocker(["save", ...references], options, ({ stdout }, progress, signal) =>
      pipeline(
        stdout,
        counting(onBytes, progress),
        createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
        createWriteStream(partial, { mode: 0o644, flush: true }),
        { signal },
      ),
    );
    renameSync(partial, file);
    return { references, bytes: statSync(file).size };
  } catch (error) {
    rmSync(partial, { force: true });
    signal.throwIfAborted();
    throw explain(`The images could not be written to ${file}.`, error);
  }
}

/**
 * @returns what was loaded, as it is on the engine now
 * @throws LabError when there is no such file, it is damaged, or the engine refuses it
 */
export async function loadImages(options: TransferOptions): Promise<LocalImage[]> {
  const { engine, file, signal, onBytes } = options;
  const compressed = beginsWith(file, zstdMagic);
  try {
    const said = await withDocker(["load"], options, async ({ stdin }, progress, signal) => {
      const counter = counting(onBytes, progress);
      await (compressed
        ? pipeline(createReadStream(file), createZstdDecompress(), counter, stdin, { signal })
        : pipeline(createReadStream(file), counter, stdin, { signal }));
      progress("packing");
    });
    const references = [...said.matchAll(/^Loaded image: (.+)$/gm)].map(([, reference]) => String(reference));
    if (references.length === 0) throw new Error("it holds no image with a name");
    const images = await Promise.all(references.map((reference) => findImage(engine.client, reference)));
    return images.filter((image) => image !== undefined);
  } catch (error) {
    signal.throwIfAborted();
    throw explain(`The images could not be loaded from ${file}.`, error);
  }
}

/** What the lab would use without a network, and for whom there is nothing. */
export async function imagesToSave(
  source: Pick<ImageSource, "find">,
  { root, settings }: Pick<SaveOptions, "root" | "settings">,
): Promise<{ references: string[]; absent: string[] }> {
  const servers = Object.keys(backingImages) as BackingServer[];
  const wishes: Wish[] = [...servers.map((server) => backingWish(server, settings)), nodeWish(settings)];
  const found = await Promise.all([
    ...wishes.map(async (wish) => ({ name: wish.name, image: await findLocal(wish, source) })),
    ...profiles.map(async (system) => ({
      name: system,
      image: await source.find(serviceReference(root, system, settings.images.node)),
    })),
  ]);
  return {
    references: [...new Set(found.flatMap(({ image }) => (image === undefined ? [] : [image.reference])))],
    absent: found.filter(({ image }) => image === undefined).map(({ name }) => name),
  };
}

/** Tells that something has moved, and what comes next. */
type Progress = (next: "moving" | "packing") => void;

/**
 * Runs docker with its data going through `transfer`; ends it when that fails, when nothing moves any more, or when
 * the caller gives up.
 * @returns what it printed, where `transfer` left that alone
 */
async function withDocker(
  args: readonly string[],
  { signal, patience = usualPatience }: TransferOptions,
  transfer: (
    streams: { stdin: Writable; stdout: Readable },
    progress: Progress,
    signal: AbortSignal,
  ) => Promise<void>,
): Promise<string> {
  const docker = findProgram("docker", process.env.PATH) ?? "docker";
  const child = spawn(docker, args, { env: dockerEnvironment(), stdio: ["pipe", "pipe", "pipe"] });
  const printed = { stdout: "", stderr: "" };
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    printed.stderr = (printed.stderr + text).slice(-8_192);
  });
  if (args[0] === "load") {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed.stdout += text;
    });
  }
  const kill = () => child.kill("SIGKILL");
  const stalled = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const progress: Progress = (next) => {
    clearTimeout(timer);
    const limit = next === "moving" ? patience.movingMs : patience.packingMs;
    timer = setTimeout(() => {
      stalled.abort(new Error(`docker ${args[0]} has made no progress for ${limit / 1000} s`));
      kill();
    }, limit);
  };
  progress(args[0] === "save" ? "packing" : "moving");
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const either = AbortSignal.any([signal, stalled.signal]);
  // Also when `transfer` is done already and docker is not.
  signal.addEventListener("abort", kill, { once: true });
  const moved = transfer(child, progress, either).catch((error: unknown) => {
    kill();
    return { error };
  });
  try {
    const [code, outcome] = await Promise.all([ended, moved]);
    either.throwIfAborted();
    // What docker says is nearer to the cause than a pipe that it has closed.
    const said = printed.stderr.trim().split("\n").at(-1) ?? "";
    if (code !== null && code !== 0 && said !== "") throw new Error(said);
    if (outcome !== undefined) throw outcome.error;
    if (code !== 0) throw new Error(`docker ${args[0]} ended with ${code ?? "a signal"}`);
    return printed.stdout;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
  }
}

function counting(onBytes: (bytes: number) => void, progress: Progress): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      progress("moving");
      onBytes(bytes);
      done(null, chunk);
    },
  });
}

/** @throws LabError USAGE when it cannot be read */
function beginsWith(file: string, magic: number): boolean {
  const start = Buffer.alloc(4);
  try {
    const descriptor = openSync(file, "r");
    try {
      readSync(descriptor, start);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new LabError("USAGE", `${file} cannot be read.`, {
      reason: messageOf(error),
      remedy: 'Name the file that "make images-save" wrote: "make images-load FILE=<path>".',
      cause: error,
    });
  }
  return start.readUInt32BE() === magic;
}

function explain(what: string, error: unknown): LabError {
  if (error instanceof LabError) return error;
  const reason = messageOf(error);
  if (hasCode(error, "ENOSPC") || /no space left on device/i.test(reason)) {
    return new LabError("COMMAND_FAILED", what, {
      reason: "The disk is full.",
      remedy: 'Free some ("docker system df" shows what the engine holds), or name a file on another disk.',
      cause: error,
    });
  }
  const damaged = /zstd|checksum|unexpected (end|EOF)|invalid tar|archive\/tar/i.test(
    `${reason} ${(error as { code?: string }).code ?? ""}`,
  );
  return new LabError("COMMAND_FAILED", what, {
    reason: damaged ? `The file is damaged, or is no archive of images (${reason}).` : reason,
    remedy: damaged ? 'Write it again with "make images-save".' : "Mend that, then try again.",
    cause: error,
  });
}
