/** Which of the lab's images the engine has, and what `make up` would do about the others. */
import { findLocal, type Wish } from "../images/choose-images.ts";
import { engineImages, type ImageSource } from "../images/local-images.ts";
import { backingWish } from "../images/resolve-images.ts";
import { nodeWish, serviceReference } from "../images/service-image.ts";
import { serversFor } from "../runtimes/compose/launch.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

type Find = Pick<ImageSource, "find">;

const needed_by = "compose" as const;

export async function checkImages({ engine, settings, root }: Examination): Promise<Finding[]> {
  if (!engine.usable) return [];
  const source = engineImages(engine.engine);
  const wishes = serversFor(settings.profiles, settings).map((server) => backingWish(server, settings));
  const [backing, services] = await Promise.all([
    Promise.all(wishes.map((wish) => backingImage(wish, source))),
    Promise.all(
      settings.profiles.map((system) =>
        serviceImage(system, serviceReference(root, system, settings.images.node), source),
      ),
    ),
  ]);
  // Only a build needs what the services' images stand on.
  const building = services.some(({ state }) => state !== "ok");
  const base = building ? [await backingImage(nodeWish(settings), source)] : [];
  return [...backing, ...services, ...base];
}

async function backingImage(wish: Wish, source: Find): Promise<Finding> {
  const check = `image ${wish.name}`;
  const { variable, named, official, packaged } = wish;
  const image = await findLocal(wish, source);
  if (image !== undefined) {
    const kind =
      named !== undefined
        ? `, as ${variable} says`
        : image.reference === packaged
          ? ", built from packages"
          : "";
    return { check, state: "ok", found: `${image.reference}${kind}`, needed_by };
  }
  if (named !== undefined) {
    const fix = `make up pulls it; where that cannot be, unset ${variable}.`;
    return { check, state: "warn", found: `${named}, as ${variable} says, is not here`, fix, needed_by };
  }
  const fix =
    'make up pulls it; where no image registry can be reached, "make images" builds it from packages.';
  return { check, state: "warn", found: `${official} is not here`, fix, needed_by };
}

async function serviceImage(system: string, reference: string, source: Find): Promise<Finding> {
  const check = `image ${system}`;
  if ((await source.find(reference)) !== undefined)
    return { check, state: "ok", found: reference, needed_by };
  const found = `not built from the sources as they are now (${reference})`;
  return { check, state: "warn", found, fix: "make up builds it.", needed_by };
}
