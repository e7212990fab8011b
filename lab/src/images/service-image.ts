/**
 * The image of a system's services. Its tag is the hash of all that it is made of, but for what the base holds, which a
 * name does not tell: an image that is there is the right one when it stands on the base that is there. Otherwise it is
 * built.
 */
import { join } from "node:path";
import { pickSystem } from "../../../compose/images/service/pick.ts";
import { LabError } from "../cli/lab-error.ts";
import type { Engine } from "../docker/engine.ts";
import type { LabEvent } from "../runtimes/runtime.ts";
import type { Settings } from "../settings.ts";
import { runCommand } from "../util/run-command.ts";
import { buildImage } from "./build-image.ts";
import { nodeBase } from "./catalogue.ts";
import { chooseImages, findLocal, missingImages } from "./choose-images.ts";
import { contentHash, filesBelow } from "./content-hash.ts";
import { engineImages, findImage, type ImageSource, type LocalImage, standsOn } from "./local-images.ts";
import { megabytes, removeUnused } from "./packaged-images.ts";

export interface ServiceImageOptions {
  readonly engine: Engine;
  /** The repository. */
  readonly root: string;
  readonly settings: Pick<Settings, "images" | "labDir">;
  /** Such as orders. */
  readonly system: string;
  readonly signal: AbortSignal;
  readonly onEvent: (event: LabEvent) => void;
  /** Take no step from an earlier build. */
  readonly fresh?: boolean;
}

/** Images of a system that are kept, the newest ones: going back to another branch is common. */
const KEPT = 3;
/** Image label with the id of the image that it was built on; empty when it was built by hand. */
export const baseLabel = "parallax.image.base";
const directory = join("compose", "images", "service");

/** The tag that the image of a system has, as its sources are now. */
export function serviceReference(root: string, system: string, node?: string): string {
  const { manifests, sources } = pickSystem(root, system);
  const hash = contentHash({
    ...manifests,
    ...Object.assign({}, ...sources.map((source) => filesBelow(root, source))),
    ...filesBelow(root, directory),
    base: node ?? nodeBase.official,
  });
  return `parallax/${system}:${hash}`;
}

/**
 * The image of a system, built if it is not there.
 * @throws LabError PREREQUISITE_MISSING when there is nothing to build it on; COMMAND_FAILED when the build fails
 */
export async function ensureServiceImage(options: ServiceImageOptions): Promise<LocalImage> {
  const { engine, root, settings, system, signal, onEvent } = options;
  const source = engineImages(engine);
  const there = options.fresh ? undefined : await findServiceImage(source, root, system, settings);
  if (there !== undefined) return there;
  const base = await requireNodeBase(source, settings, signal, onEvent);
  return buildServiceImage(options, base);
}

/**
 * The image of a system as its sources and its base are now; undefined when it has to be built. Where the base is not,
 * as on a machine that has only been given the images, any will do.
 */
export async function findServiceImage(
  source: Pick<ImageSource, "find">,
  root: string,
  system: string,
  settings: Pick<Settings, "images">,
): Promise<LocalImage | undefined> {
  const [image, base] = await Promise.all([
    source.find(serviceReference(root, system, settings.images.node)),
    findLocal(nodeWish(settings), source),
  ]);
  return image !== undefined && (base === undefined || standsOn(image, base)) ? image : undefined;
}

/** What services' images stand on, as a wish for chooseImages. */
export function nodeWish(settings: Pick<Settings, "images">) {
  return { name: "node", variable: "NODE_IMAGE", named: settings.images.node, ...nodeBase };
}

/** Builds it, whether it is there or not. */
export async function buildServiceImage(
  { engine, root, settings, system, signal, onEvent, fresh }: ServiceImageOptions,
  base: LocalImage,
): Promise<LocalImage> {
  const reference = serviceReference(root, system, settings.images.node);
  const before = await findImage(engine.client, reference);
  onEvent({ kind: "begin", text: `Building ${reference} on ${base.reference}` });
  const began = performance.now();
  await buildImage({
    name: system,
    reference,
    dockerfile: join(root, directory, "Dockerfile"),
    context: root,
    args: {
      SYSTEM: system,
      NODE_IMAGE: base.reference,
      REVISION: await revision(root),
      SOURCES: reference.slice(reference.indexOf(":") + 1),
      BASE: base.id,
    },
    fresh: fresh ?? false,
    labDir: settings.labDir,
    signal,
  });
  const image = await findImage(engine.client, reference);
  if (image === undefined) throw new LabError("COMMAND_FAILED", `${reference} was built, and is not there.`);
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  onEvent({ kind: "done", text: `${reference} is built (${seconds} s, ${megabytes(image.size)})` });
  if (before !== undefined && before.id !== image.id) await removeUnused(engine, before.id);
  await removeOld(engine, system);
  return image;
}

async function requireNodeBase(
  source: ImageSource,
  settings: Pick<Settings, "images">,
  signal: AbortSignal,
  onEvent: ServiceImageOptions["onEvent"],
): Promise<LocalImage> {
  const { chosen, missing } = await chooseImages([nodeWish(settings)], { source, signal, onEvent });
  const image = chosen.get("node");
  if (image === undefined) throw missingImages(missing);
  return image;
}

/** The commit that it was built from; the hash in the tag says what is really in it. */
async function revision(root: string): Promise<string> {
  const { code, stdout } = await runCommand("git", ["describe", "--always", "--dirty", "--abbrev=40"], {
    cwd: root,
    timeout: 5_000,
  });
  return code === 0 ? stdout.trim() : "unknown";
}

/** Those of former sources, but for the newest ones and those that a container uses. */
async function removeOld({ client }: Engine, system: string): Promise<void> {
  try {
    const repository = `parallax/${system}`;
    const images = await client.listImages({ filters: { reference: [`${repository}:*`] } });
    const containers = await client.listContainers({ all: true });
    const used = new Set(containers.map(({ ImageID }) => ImageID));
    const old = images
      .sort((a, b) => b.Created - a.Created)
      .filter(({ RepoTags }) => (RepoTags ?? []).some((tag) => isOurs(tag, repository)))
      .slice(KEPT)
      .filter(({ Id }) => !used.has(Id));
    for (const { RepoTags } of old) {
      for (const tag of (RepoTags ?? []).filter((tag) => isOurs(tag, repository))) {
        await client.getImage(tag).remove({ abortSignal: AbortSignal.timeout(30_000) });
      }
    }
  } catch {
    // Another command has taken one into use, or removed it; the next build tries again.
  }
}

/** A tag that this file has given, not one of the user's. */
function isOurs(tag: string, repository: string): boolean {
  return tag.startsWith(`${repository}:`) && /^[0-9a-f]{12}$/.test(tag.slice(repository.length + 1));
}
