/**
 * How the images from packages are made: which directory of compose/images, on which other image, from which versions.
 * A recipe's hash is kept as a label of the image: an image whose label still fits is not built again.
 */
import { join } from "node:path";
import { type BackingServer, backingImages, debianBase, nodeBase } from "./catalogue.ts";
import { contentHash, filesBelow } from "./content-hash.ts";

export type RecipeName = "debian" | "node" | BackingServer;

export interface Recipe {
  readonly name: RecipeName;
  /** The tag that it gets. */
  readonly reference: string;
  /** What it stands on; undefined for Debian itself. */
  readonly base: RecipeName | undefined;
  /** An image that it takes something from, and so is built after. */
  readonly takesFrom?: RecipeName;
  /** What its Dockerfile or its script is told. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Image label with the recipe's hash. */
export const recipeLabel = "parallax.image.recipe";

export const debianSuite = "trixie";

const uv = "0.10.4";

export const recipes: Readonly<Record<RecipeName, Recipe>> = {
  debian: { name: "debian", reference: debianBase, base: undefined, versions: { SUITE: debianSuite } },
  node: recipe("node", nodeBase.packaged, { NODE: tagOf(nodeBase.packaged), NPM: "11.21.2" }),
  redis: recipe("redis"),
  nats: recipe("nats"),
  postgres: recipe("postgres"),
  haproxy: recipe("haproxy"),
  // Dependencies as of the release: later ones do not fit.
  localstack: recipe("localstack", backingImages.localstack.packaged, {
    UV_VERSION: uv,
    VERSION: tagOf(backingImages.localstack.packaged),
    EXCLUDE_NEWER: "2026-02-27",
  }),
  ministack: {
    ...recipe("ministack", backingImages.ministack.packaged, {
      UV_VERSION: uv,
      VERSION: tagOf(backingImages.ministack.packaged),
      EXCLUDE_NEWER: "2026-11-20",
      NODE_IMAGE: nodeBase.packaged,
    }),
    takesFrom: "node",
  },
};

/** Where the repository keeps the files of a recipe. */
export function recipeDirectory(root: string, name: RecipeName): string {
  return join(root, "compose", "images", name);
}

/** Changes with the recipe's files, its versions, what it stands on and what it takes from. */
export function recipeHash(root: string, { name, base, versions, takesFrom }: Recipe): string {
  return contentHash({
    ...filesBelow(root, join("compose", "images", name)),
    versions: JSON.stringify(versions),
    base: base === undefined ? "" : recipeHash(root, recipes[base]),
    ...(takesFrom && { takesFrom: recipeHash(root, recipes[takesFrom]) }),
  });
}

function recipe(
  name: Exclude<RecipeName, "debian">,
  reference?: string,
  versions: Recipe["versions"] = {},
): Recipe {
  const tag = reference ?? (name === "node" ? nodeBase.packaged : backingImages[name].packaged);
  return { name, reference: tag, base: "debian", versions };
}

function tagOf(reference: string): string {
  return reference.slice(reference.indexOf(":") + 1);
}
