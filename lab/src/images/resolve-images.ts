/**
 * Which image each server and each system of the lab runs from: what `up` writes into the variables of the compose files,
 * and what every run's bundle records. With everything there it takes a moment; what is missing is pulled or built.
 */
import type { Engine } from "../docker/engine.ts";
import { rootDir } from "../paths.ts";
import type { LabEvent } from "../runtimes/runtime.ts";
import type { Settings } from "../settings.ts";
import { type BackingServer, backingImages } from "./catalogue.ts";
import { chooseImages, missingImages, type Wish } from "./choose-images.ts";
import { engineImages, type ImageSource, type LocalImage } from "./local-images.ts";
import { recipeHash, recipeLabel, recipes } from "./recipes.ts";
import { baseLabel, buildServiceImage, findServiceImage, nodeWish } from "./service-image.ts";

export interface ResolvedImage {
  reference: string;
  /** Of the image's configuration, such as sha256:… */
  id: string;
  /** Of its manifest in the registry it came from; null for what was built or loaded here. */
  digest: string | null;
  /** Of a system's image: the id of the image that it was built on, where the lab has built it. */
  base?: string;
}

export interface ResolvedImages {
  /** By variable of the compose files, such as REDIS_IMAGE and ORDERS_IMAGE. */
  variables: Record<string, string>;
  /** By server and system, such as redis and orders. */
  images: Record<string, ResolvedImage>;
}

export interface ResolveOptions {
  engine: Engine;
  settings: Settings;
  servers: readonly BackingServer[];
  systems: readonly string[];
  signal: AbortSignal;
  onEvent(event: LabEvent): void;
  /** Where images come from; the engine unless told. */
  source?: ImageSource;
  /** The repository. */
  root?: string;
  build?: typeof buildServiceImage;
}

/** @throws LabError PREREQUISITE_MISSING that names every image that cannot be had */
export async function resolveImages(options: ResolveOptions): Promise<ResolvedImages> {
  const { engine, settings, servers, systems, signal, onEvent } = options;
  const { root = rootDir, source = engineImages(engine), build = buildServiceImage } = options;
  const services = await Promise.all(
    systems.map(async (system) => ({
      system,
      image: await findServiceImage(source, root, system, settings),
    })),
  );
  const toBuild = services.some(({ image }) => image === undefined);
  const wishes = [
    ...servers.map((server) => backingWish(server, settings)),
    ...(toBuild ? [nodeWish(settings)] : []),
  ];
  const { chosen, missing } = await chooseImages(wishes, { source, signal, onEvent });
  if (missing.length > 0) throw missingImages(missing);
  for (const server of servers) warnIfOld(server, chosen.get(server), root, onEvent);

  const resolved: ResolvedImages = { variables: {}, images: {} };
  for (const server of servers) {
    record(resolved, server, backingImages[server].variable, chosen.get(server));
  }
  for (const { system, image } of services) {
    const base = chosen.get("node");
    const built = image ?? (base && (await build({ engine, root, settings, system, signal, onEvent }, base)));
    record(resolved, system, `${system.toUpperCase()}_IMAGE`, built);
  }
  return resolved;
}

/** What a server may run from, as a wish for chooseImages. */
export function backingWish(server: BackingServer, settings: Pick<Settings, "images">): Wish {
  const { variable, official, packaged } = backingImages[server];
  return { name: server, variable, named: settings.images.backing[variable], official, packaged };
}

function record(into: ResolvedImages, name: string, variable: string, image: LocalImage | undefined): void {
  if (image === undefined) throw new Error(`no image was chosen for ${name}`);
  const { reference, id, digest, labels } = image;
  const base = labels[baseLabel] || undefined;
  into.variables[variable] = reference;
  into.images[name] = { reference, id, digest, ...(base === undefined ? {} : { base }) };
}

function warnIfOld(
  server: BackingServer,
  image: LocalImage | undefined,
  root: string,
  onEvent: ResolveOptions["onEvent"],
): void {
  if (image?.reference !== backingImages[server].packaged) return;
  if (image.labels[recipeLabel] === recipeHash(root, recipes[server])) return;
  onEvent({ kind: "warn", text: `${image.reference} was built in an older way; "make images" renews it` });
}
