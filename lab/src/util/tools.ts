/** The development tools among the npm packages, run on this Node whatever PATH says. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { rootDir } from "../paths.ts";
import { processTable, processTree, signalQuietly } from "./processes.ts";

/** From the request to stop until what has not stopped is killed. */
const STOP_MS = 5_000;

const require = createRequire(join(rootDir, "package.json"));

/**
 * Runs a package's program in the repository's root with this command's standard streams.
 * @returns its exit code; 1 when a signal ended it
 */
export function runTool(
  packageName: string,
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  return runNode([programOf(packageName, program), ...args], signal, environment);
}

/** Runs this Node in the repository's root, with `environment` added to this process' own. */
export function runNode(
  args: readonly string[],
  signal: AbortSignal,
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: rootDir,
      stdio: "inherit",
      // Programs that look for `node` by name find the one among the packages. Many short processes are started,
      // which load the same code: compiled once is enough.
      env: {
        NODE_COMPILE_CACHE: join(rootDir, ".lab", "cache", "node"),
        ...process.env,
        ...environment,
        PATH: [join(rootDir, "node_modules", ".bin"), process.env.PATH].join(delimiter),
      },
    });
    let forced: NodeJS.Timeout | undefined;
    const stop = () => {
      // The terminal's Ctrl-C reaches it by itself; a SIGTERM to this command does not.
      child.kill("SIGTERM");
      // tap waits for its test files, which it does not always tell.
      forced = setTimeout(() => void killTree(child.pid), STOP_MS);
    };
    signal.addEventListener("abort", stop);
    child.once("error", reject);
    child.once("exit", (code) => {
      signal.removeEventListener("abort", stop);
      clearTimeout(forced);
      resolve(code ?? 1);
    });
  });
}

async function killTree(root: number | undefined): Promise<void> {
  if (root === undefined) return;
  // Where the system does not tell who is below, at least the root.
  const tree = processTree(await processTable(), root).map(({ pid }) => pid);
  for (const pid of new Set([root, ...tree])) signalQuietly(pid, "SIGKILL");
}

function programOf(packageName: string, program: string): string {
  const manifest = require.resolve(`${packageName}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { bin: Record<string, string> };
  const file = bin[program];
  if (file === undefined) throw new Error(`${packageName} has no program ${program}`);
  return join(dirname(manifest), file);
}
