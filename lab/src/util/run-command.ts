/** Runs a program to its end, bounded in time and in what is kept of its output. */
import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

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

/** Never rejects: a program that fails is an answer too. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return new Promise((resolve) => {
    let stdout = "";
    let stderr = "";
    let error: Error | undefined;
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? childEnvironment(process.env),
      stdio: ["pipe", "pipe", "pipe"],
      signal: options.signal,
      timeout: options.timeout ?? 60_000,
      killSignal: "SIGKILL",
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout = (stdout + text).slice(-outputLimit);
      options.onOutput?.(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-outputLimit);
      options.onOutput?.(text);
    });
    child.once("error", (cause) => {
      error = cause;
      if (child.pid === undefined) resolve({ code: null, stdout, stderr, error });
    });
    child.once("close", (code) => {
      if (child.killed) error ??= new Error(`${command} took too long and was ended`);
      resolve({ code, stdout, stderr, ...(error === undefined ? {} : { error }) });
    });
    // A program that does not read its input is no failure of ours.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
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
