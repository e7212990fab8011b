/**
 * Picks what the image of one system is made of out of the repository: its workspace (services/$SYSTEM) and, link by link,
 * the workspaces that it depends on in production. Manifests and sources go to different places, so that npm installs
 * again only when a manifest has changed.
 *
 * The manifests and the lockfile are cut down to these workspaces and to production: `npm ci --workspace` would also
 * install what their tests need. npm then checks that lockfile and manifests still agree, and takes the versions and
 * checksums from the lockfile as ever.
 *
 * usage: SYSTEM=orders node pick.mjs <repository> <manifests> <sources>
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [repository, manifests, sources] = process.argv.slice(2);
const system = process.env.SYSTEM;
const manifestOf = (path) => readJson(join(repository, path, "package.json"));

/** Directory by package name. */
const workspaces = new Map(
  ["packages", "services"]
    .flatMap((parent) => readdirSync(join(repository, parent)).map((name) => `${parent}/${name}`))
    .filter((path) => existsSync(join(repository, path, "package.json")))
    .map((path) => [manifestOf(path).name, path]),
);
if (!existsSync(join(repository, "services", system, "package.json"))) {
  throw new Error(`SYSTEM=${system}: there is no services/${system}`);
}

/** A set grows while it is walked, so this follows every link once. */
const picked = new Set([`services/${system}`]);
for (const path of picked) {
  for (const name of Object.keys(manifestOf(path).dependencies ?? {})) {
    if (workspaces.has(name)) picked.add(workspaces.get(name));
  }
}

for (const path of picked) {
  writeJson(join(manifests, path, "package.json"), forProduction(manifestOf(path)));
  cpSync(join(repository, path, "src"), join(sources, path, "src"), { recursive: true });
}
writeJson(join(manifests, "package.json"), root(manifestOf(".")));
writeJson(join(manifests, "package-lock.json"), lockfile(readJson(join(repository, "package-lock.json"))));
cpSync(join(repository, ".npmrc"), join(manifests, ".npmrc"));

function root(manifest) {
  const { optionalDependencies: _, ...rest } = forProduction(manifest);
  return { ...rest, dependencies: {}, workspaces: [...picked] };
}

function forProduction({ devDependencies: _, scripts: __, ...manifest }) {
  return manifest;
}

function lockfile(lock) {
  const unpicked = new Set([...workspaces.values()].filter((path) => !picked.has(path)));
  const packages = Object.entries(lock.packages).flatMap(([path, entry]) => {
    if (path === "") return [[path, root(entry)]];
    if (picked.has(path)) return [[path, forProduction(entry)]];
    const inside = [path, entry.link ? entry.resolved : ""].some(
      (where) => unpicked.has(where) || /^(lab|loadtests)(\/|$)/.test(where),
    );
    return inside || [...unpicked].some((other) => path.startsWith(`${other}/`)) ? [] : [[path, entry]];
  });
  return { ...lock, packages: Object.fromEntries(packages) };
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

function writeJson(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
