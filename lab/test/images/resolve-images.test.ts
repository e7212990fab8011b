/** What `up` is told: variables and images, from what is here; what is missing is built, or named. */
import t from "tap";
import type { Engine } from "../../src/docker/engine.ts";
import { backingImages, nodeBase } from "../../src/images/catalogue.ts";
import type { ImageSource, LocalImage } from "../../src/images/local-images.ts";
import { recipeHash, recipeLabel, recipes } from "../../src/images/recipes.ts";
import { type ResolveOptions, resolveImages } from "../../src/images/resolve-images.ts";
import { baseLabel, serviceReference } from "../../src/images/service-image.ts";
import { rootDir } from "../../src/paths.ts";
import type { LabEvent } from "../../src/runtimes/runtime.ts";
import { settingsFromEnv } from "../../src/settings.ts";

const settings = settingsFromEnv({}, "/");
const { packaged } = backingImages.redis;
const orders = serviceReference(rootDir, "orders");

function image(reference: string, labels: Record<string, string> = {}, layers: string[] = []): LocalImage {
  return { reference, id: `sha256:${reference}`, digest: null, size: 1, labels, layers };
}

function options(here: readonly LocalImage[], more: Partial<ResolveOptions> = {}) {
  const events: LabEvent[] = [];
  const source: ImageSource = {
    find: async (reference) => here.find((one) => one.reference === reference),
    pull: async () => ({ pulled: false, unreachable: true, reason: "no such host" }),
  };
  const all: ResolveOptions = {
    engine: {} as Engine,
    settings,
    servers: ["redis"],
    systems: ["orders"],
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    source,
    build: async () => t.fail("nothing is to be built") as never,
    ...more,
  };
  return { all, events };
}

t.test("everything is here: variables and images are told, nothing is built", async (t) => {
  const current = image(packaged, { [recipeLabel]: recipeHash(rootDir, recipes.redis) });
  const { all, events } = options([current, image(orders)]);
  t.same(await resolveImages(all), {
    variables: { REDIS_IMAGE: packaged, ORDERS_IMAGE: orders },
    images: {
      redis: { reference: packaged, id: `sha256:${packaged}`, digest: null },
      orders: { reference: orders, id: `sha256:${orders}`, digest: null },
    },
  });
  t.same(events, []);
});

t.test("an image from an older recipe is used, and it is said", async (t) => {
  const { all, events } = options([image(packaged, { [recipeLabel]: "000000000000" }), image(orders)]);
  t.equal((await resolveImages(all)).variables.REDIS_IMAGE, packaged);
  t.match(events, [{ kind: "warn", text: /make images/ }]);
});

t.test("a system without an image is built on the Node that is here", async (t) => {
  const bases: string[] = [];
  const { all } = options([image(nodeBase.packaged)], {
    servers: [],
    build: async ({ system }, base) => {
      bases.push(`${system} on ${base.reference}`);
      return image(orders);
    },
  });
  t.equal((await resolveImages(all)).variables.ORDERS_IMAGE, orders);
  t.same(bases, [`orders on ${nodeBase.packaged}`]);
});

t.test("a system's image that stands on another base than the one that is here is built again", async (t) => {
  const built = image(orders, { [baseLabel]: "sha256:new" }, ["debian", "new node", "app"]);
  const onOld = image(orders, {}, ["debian", "old node", "app"]);
  const build = async () => built;
  const from = async (here: LocalImage[]) => {
    const { all } = options(here, { servers: [], build });
    return (await resolveImages(all)).images.orders?.base;
  };
  const official = image(nodeBase.official, {}, ["debian", "new node"]);
  const packaged = image(nodeBase.packaged, {}, ["debian", "old node"]);
  t.equal(await from([onOld, packaged]), undefined, "it stands on the one that is here");
  t.equal(await from([onOld]), undefined, "no base is here");
  t.equal(await from([onOld, packaged, official]), "sha256:new", "the official one has come");
});

t.test("nothing is here: one error names all, and nothing is built", async (t) => {
  const { all } = options([]);
  await t.rejects(resolveImages(all), {
    code: "PREREQUISITE_MISSING",
    message: `Missing images: ${backingImages.redis.official}, ${nodeBase.official}.`,
    remedy: /make images/,
  });
});

t.test("the tag of a system changes with its base and with nothing else of the machine", async (t) => {
  t.equal(serviceReference(rootDir, "orders"), orders);
  t.match(orders, /^parallax\/orders:[0-9a-f]{12}$/);
  t.not(serviceReference(rootDir, "orders", "node:27"), orders);
  t.throws(() => serviceReference(rootDir, "nothing"), /no system "nothing"/);
});
