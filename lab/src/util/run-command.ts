/** Runs a program to its end, bounded in time and in what is kept of its output. */
import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { signalQuietly } from "./processes.ts";

export interface RunOptions {
  cwd?: string | undefined;
  /** The whole environment of the program; childEnvironment(process.env) unless told. */
  env?: Record<string, string> | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
  /** Written to its standard input, which is then closed. */
  input?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Milliseconds; it is killed after that. One minute unless told. */
  timeout?: number | undefined;
  /**
   * Ends what it has started together with it, as a process group of its own, where the system has those. Not for
   * programs that ask at the terminal: such a group cannot read from it, and hears no Ctrl-C (`signal` ends it).
   */
  group?: boolean | undefined;
  /** Called with every piece of its output, of either stream. */
  onOutput?: ((text: string) => void) | undefined;
}

export interface RunResult {
  /** null when it was killed by a signal or could not be started. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** Why it did not run to its end: not found, timed out, aborted. */
  error?: Error;
}

const outputLimit = 256 * 1024;
/** After it was killed: what it has started may go on and hold its output open. */
const CLOSE_MS = 1_000;

/** Never rejects: a program that fails is an answer too. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { signal, onOutput } = options;
  return new Promise((resolve) => {
    const printed = { stdout: "", stderr: "" };
    let error: Error | undefined;
    if (signal?.aborted) return resolve({ code: null, ...printed, error: aborted(signal) });
    const detached = options.group === true && process.platform !== "win32";
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? childEnvironment(process.env),
      stdio: ["pipe", "pipe", "pipe"],
      detached,
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        printed[name] = (printed[name] + text).slice(-outputLimit);
        onOutput?.(text);
      });
    }

    let closing: NodeJS.Timeout | undefined;
    const kill = () => {
      if (detached && child.pid !== undefined) signalQuietly(-child.pid, "SIGKILL");
      else child.kill("SIGKILL");
    };
    const end = (why: Error) => {
      if (error !== undefined) return;
      error = why;
      kill();
      closing = setTimeout(() => {
        for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
        finish(null);
      }, CLOSE_MS);
    };
    const late = setTimeout(
      () => end(new Error(`${command} took too long and was ended`)),
      options.timeout ?? 60_000,
    );
    const onAbort = () => signal && end(aborted(signal));
    signal?.addEventListener("abort", onAbort, { once: true });
    // A second Ctrl-C ends this process at once; a group of its own would not notice.
    if (detached) process.once("exit", kill);
    const finish = (code: number | null) => {
      clearTimeout(late);
      clearTimeout(closing);
      signal?.removeEventListener("abort", onAbort);
      process.off("exit", kill);
      resolve({ code, ...printed, ...(error === undefined ? {} : { error }) });
    };
    child.once("error", (cause) => {
      error ??= cause;
      if (child.pid === undefined) finish(null);
    });
    child.once("close", finish);
    // A program that does not read its input is no failure of ours.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}

/** As Node's own functions reject with. */
function aborted(signal: AbortSignal): Error {
  const error = new Error("The operation was aborted", { cause: signal.reason });
  return Object.assign(error, { name: "AbortError", code: "ABORT_ERR" });
}

/** What children may see of the user's environment. Credentials and AWS_* stay outside. */
export function childEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = ["PATH", "HOME", "TMPDIR", "LANG", "NODE_EXTRA_CA_CERTS", "NODE_COMPILE_CACHE"];
  // Windows programs do not start without these.
  if (process.platform === "win32") names.push("SystemRoot", "TEMP", "TMP", "PATHEXT", "COMSPEC");
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The first executable file of that name in a PATH, or undefined. */
export function findProgram(name: string, path: string | undefined): string | undefined {
  const endings = process.platform === "win32" ? [".exe", ".cmd", ""] : [""];
  for (const directory of (path ?? "").split(delimiter).filter((entry) => entry !== "")) {
    for (const ending of endings) {
      const candidate = join(directory, name + ending);
      if (isExecutable(candidate)) return candidate;
    }
  }
  return undefined;
}

/** True for a file that may be run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
