/**
 * `make images`: every image from packages. What is there and fits its recipe is left alone; the base is made only when
 * something has to be built on it. Two are built at a time: more only take each other's processor and network.
 */
import { join } from "node:path";
import { LabError } from "../cli/lab-error.ts";
import type { Engine } from "../docker/engine.ts";
import { labPaths } from "../paths.ts";
import type { LabEvent } from "../runtimes/runtime.ts";
import { tryLock } from "../util/lock.ts";
import { buildImage } from "./build-image.ts";
import { buildDebian } from "./debian-base.ts";
import { findImage, type LocalImage } from "./local-images.ts";
import { prepareNodeContext } from "./node-packages.ts";
import {
  type Recipe,
  type RecipeName,
  recipeDirectory,
  recipeHash,
  recipeLabel,
  recipes,
} from "./recipes.ts";

export interface PackagedOptions {
  readonly engine: Engine;
  readonly root: string;
  readonly labDir: string;
  /** Build also what is there. */
  readonly force: boolean;
  /** debootstrap may be installed without asking. */
  readonly mayInstall: boolean;
  /** A person is there whom sudo can ask for the password. */
  readonly interactive: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: (event: LabEvent) => void;
}

export interface PackagedImage {
  readonly image: LocalImage;
  /** What building took; undefined when it was there. */
  readonly seconds: number | undefined;
}

const AT_A_TIME = 2;
/** The longest first, so that none of them is left to run alone at the end. */
const onDebian: readonly RecipeName[] = [
  "localstack",
  "postgres",
  "node",
  "ministack",
  "haproxy",
  "nats",
  "redis",
];

/** @throws LabError of the first that failed; the others are stopped then */
export async function buildPackagedImages(options: PackagedOptions): Promise<PackagedImage[]> {
  using lock = tryLock(join(labPaths(options.labDir).cache, "images", "build.lock"));
  if (lock === undefined) {
    throw new LabError("BUSY", "The images are being built already.", {
      reason: "Another command is at it in the same LAB_DIR.",
      remedy: "Wait until it has ended.",
    });
  }
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const builder = new Builder({ ...options, signal });
  try {
    const fits = await Promise.all(onDebian.map((name) => builder.fits(name)));
    const stale = onDebian.filter((_, index) => options.force || !fits[index]);
    if (stale.length > 0 && (options.force || !(await builder.fits("debian")))) await builder.build("debian");
    const waits = (name: RecipeName) => recipes[name].takesFrom !== undefined;
    for (const some of [stale.filter((name) => !waits(name)), stale.filter(waits)]) {
      await inTurns(some, AT_A_TIME, (name) => builder.build(name));
    }
    return await builder.results();
  } catch (error) {
    failed.abort(error);
    throw error;
  } finally {
    await builder.idle();
  }
}

class Builder {
  readonly #options: PackagedOptions;
  readonly #seconds = new Map<RecipeName, number>();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: PackagedOptions) {
    this.#options = options;
  }

  async fits(name: RecipeName): Promise<boolean> {
    const image = await this.#find(name);
    return image?.labels[recipeLabel] === recipeHash(this.#options.root, recipes[name]);
  }

  build(name: RecipeName): Promise<void> {
    const work = this.#build(recipes[name]);
    this.#running.add(work);
    return work.finally(() => this.#running.delete(work));
  }

  /** Resolves when nothing is being built any more, however it ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async results(): Promise<PackagedImage[]> {
    const names = Object.keys(recipes) as RecipeName[];
    const images = await Promise.all(names.map((name) => this.#find(name)));
    return names.flatMap((name, index) => {
      const image = images[index];
      return image === undefined ? [] : [{ image, seconds: this.#seconds.get(name) }];
    });
  }

  async #build(recipe: Recipe): Promise<void> {
    const { onEvent, root, signal } = this.#options;
    const { name, reference } = recipe;
    const before = await this.#find(name);
    signal.throwIfAborted();
    onEvent({ kind: "begin", text: `Building ${reference}` });
    const began = performance.now();
    const hash = recipeHash(root, recipe);
    if (name === "debian") {
      await this.#assertSameArchitecture();
      await buildDebian(recipe, hash, { ...this.#options, directory: this.#directory });
    } else {
      await this.#buildOnDebian(recipe, hash);
    }
    const seconds = (performance.now() - began) / 1_000;
    this.#seconds.set(name, seconds);
    const after = await this.#find(name);
    const size = after === undefined ? "" : `, ${megabytes(after.size)}`;
    onEvent({ kind: "done", text: `${reference} is built (${seconds.toFixed(1)} s${size})` });
    if (before !== undefined && before.id !== after?.id) await removeUnused(this.#options.engine, before.id);
  }

  async #buildOnDebian(recipe: Recipe, hash: string): Promise<void> {
    const { root, labDir, force, signal } = this.#options;
    const directory = recipeDirectory(root, recipe.name);
    const node = recipe.name === "node";
    await buildImage({
      name: recipe.name,
      reference: recipe.reference,
      dockerfile: join(directory, "Dockerfile"),
      context: node ? await this.#nodeContext(recipe) : directory,
      args: node ? {} : recipe.versions,
      labels: { [recipeLabel]: hash },
      fresh: force,
      labDir,
      signal,
    });
  }

  async #nodeContext({ versions }: Recipe): Promise<string> {
    const { Arch } = await this.#options.engine.client.version();
    return prepareNodeContext({
      architecture: Arch,
      nodeVersion: versions.NODE ?? "",
      npmVersion: versions.NPM ?? "",
      directory: this.#directory,
      signal: this.#options.signal,
    });
  }

  /** debootstrap makes a Debian for the machine that it runs on. */
  async #assertSameArchitecture(): Promise<void> {
    const { Arch } = await this.#options.engine.client.version();
    const here = process.arch === "x64" ? "amd64" : process.arch;
    if (Arch === here) return;
    throw new LabError("PREREQUISITE_MISSING", "Images cannot be built from packages for this engine.", {
      reason: `The engine runs on ${Arch}, this machine is ${here}.`,
      remedy: 'Run "make images" on the engine\'s machine.',
    });
  }

  get #directory(): string {
    return join(labPaths(this.#options.labDir).cache, "images");
  }

  #find(name: RecipeName): Promise<LocalImage | undefined> {
    return findImage(this.#options.engine.client, recipes[name].reference);
  }
}

/** Bytes for people. */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** What a newer image has taken the tag from. An image that a container or another tag uses is refused, and stays. */
export async function removeUnused({ client }: Engine, id: string): Promise<void> {
  await client
    .getImage(id)
    .remove({ abortSignal: AbortSignal.timeout(30_000) })
    .catch(() => {});
}

/** Works on a list, so many at a time. The first failure rejects; what runs then is the caller's to end. */
async function inTurns<T>(
  items: readonly T[],
  atATime: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}
