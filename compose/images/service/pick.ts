/**
 * What the image of one system is made of: its workspace (services/<system>) and, link by link, the workspaces that it
 * depends on in production. The Dockerfile runs this to copy them; the lab calls it to name the image after them.
 *
 * The manifests and the lockfile are cut down to these workspaces and to production: `npm ci --workspace` would also
 * install what their tests need. npm then checks that lockfile and manifests still agree, and takes the versions and
 * checksums from the lockfile as ever.
 *
 * usage: SYSTEM=orders node pick.ts <repository> <manifests> <sources>
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Picked {
  /** Content by path: what npm installs from. They change seldom, and apart from the sources. */
  readonly manifests: Readonly<Record<string, string>>;
  /** Directories, relative to the repository. */
  readonly sources: readonly string[];
}

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: unknown;
  optionalDependencies?: unknown;
  scripts?: unknown;
}

interface Lockfile {
  packages: Record<string, Manifest & { link?: boolean; resolved?: string }>;
}

/** @throws Error when there is no such system */
export function pickSystem(repository: string, system: string): Picked {
  const manifestOf = (path: string) => readJson<Manifest>(join(repository, path, "package.json"));
  const workspaces = new Map(
    listWorkspaces(repository).map((path) => [manifestOf(path).name, path] as const),
  );
  if (![...workspaces.values()].includes(`services/${system}`)) {
    throw new Error(`There is no system "${system}": services/${system} has no package.json.`);
  }
  // A set may grow while it is walked, so every link is followed once.
  const picked = new Set([`services/${system}`]);
  for (const path of picked) {
    for (const name of Object.keys(manifestOf(path).dependencies ?? {})) {
      const workspace = workspaces.get(name);
      if (workspace !== undefined) picked.add(workspace);
    }
  }
  const lock = readJson<Lockfile>(join(repository, "package-lock.json"));
  const manifests = {
    "package.json": toJson(rootManifest(manifestOf("."), picked)),
    "package-lock.json": toJson(cutLockfile(lock, picked)),
    ".npmrc": readFileSync(join(repository, ".npmrc"), "utf8"),
    ...Object.fromEntries(
      [...picked].map((path) => [`${path}/package.json`, toJson(forProduction(manifestOf(path)))]),
    ),
  };
  return { manifests, sources: [...picked].map((path) => `${path}/src`) };
}

/** Those that may be part of a system; the lab itself and the load tests are none. */
function listWorkspaces(repository: string): string[] {
  return ["packages", "services"]
    .flatMap((parent) => readdirSync(join(repository, parent)).map((name) => `${parent}/${name}`))
    .filter((path) => existsSync(join(repository, path, "package.json")));
}

function forProduction<T extends Manifest>({ devDependencies: _, scripts: __, ...manifest }: T) {
  return manifest;
}

function rootManifest(manifest: Manifest, picked: ReadonlySet<string>) {
  const { optionalDependencies: _, ...rest } = forProduction(manifest);
  return { ...rest, dependencies: {}, workspaces: [...picked] };
}

/** Entries of the registry's packages stay as they are; npm leaves those out that nothing needs any more. */
function cutLockfile(lock: Lockfile, picked: ReadonlySet<string>) {
  const isOther = (path: string) =>
    /^(packages|services|lab|loadtests)(\/|$)/.test(path) &&
    ![...picked].some((own) => path === own || path.startsWith(`${own}/`));
  const packages = Object.entries(lock.packages).flatMap(([path, entry]): [string, unknown][] => {
    if (path === "") return [[path, rootManifest(entry, picked)]];
    if (picked.has(path)) return [[path, forProduction(entry)]];
    return isOther(path) || (entry.link && isOther(entry.resolved ?? "")) ? [] : [[path, entry]];
  });
  return { ...lock, packages: Object.fromEntries(packages) };
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

if (import.meta.main) {
  const [repository = "", manifests = "", sources = ""] = process.argv.slice(2);
  const picked = pickSystem(repository, process.env.SYSTEM ?? "");
  for (const [path, text] of Object.entries(picked.manifests)) {
    mkdirSync(dirname(join(manifests, path)), { recursive: true });
    writeFileSync(join(manifests, path), text);
  }
  for (const path of picked.sources) {
    cpSync(join(repository, path), join(sources, path), { recursive: true });
  }
}
