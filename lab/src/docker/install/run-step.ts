/**
 * Runs one command of the plan with root's rights. Unlike runCommand it never kills at once: apt is asked to stop
 * (SIGINT), and finishes the package it is at; a package left half installed would be worse than a minute of waiting.
 */
import { spawn } from "node:child_process";
import { childEnvironment, type RunResult } from "../../util/run-command.ts";
import { type Machine, searchPath } from "./system.ts";

export interface StepRunner {
  machine: Machine;
  /** Start commands with sudo. */
  sudo: boolean;
  /** A person is there whom sudo can ask for the password. */
  interactive: boolean;
  signal: AbortSignal;
}

export interface StepCommand {
  command: readonly [string, ...string[]];
  env?: Readonly<Record<string, string>>;
  /** Milliseconds. */
  timeout: number;
  /** Written to its standard input. */
  input?: string;
}

const outputLimit = 256 * 1024;
/** What a command that was asked to stop may still take before it is killed. */
const graceMs = 120_000;

/** Never rejects: a command that fails is an answer too. `error` tells when it was stopped. */
export function runStep(
  runner: StepRunner,
  { command, env = {}, timeout, input }: StepCommand,
): Promise<RunResult> {
  if (runner.signal.aborted)
    return Promise.resolve({ code: null, stdout: "", stderr: "", error: new Error("stopped") });
  const [program, ...args] = [...runner.machine.launcher, ...withRights(runner, env), ...command] as [
    string,
    ...string[],
  ];
  return new Promise((resolve) => {
    const output = { stdout: "", stderr: "" };
    let error: Error | undefined;
    const child = spawn(program, args, {
      env: { ...stepEnvironment(runner.machine), ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const stop = (why: string) => {
      error ??= new Error(why);
      child.kill("SIGINT");
      killer ??= setTimeout(() => child.kill("SIGKILL"), graceMs);
    };
    let killer: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => stop(`it took longer than ${timeout / 1000} s`), timeout);
    const abort = () => stop("it was stopped");
    runner.signal.addEventListener("abort", abort, { once: true });
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] = (output[name] + text).slice(-outputLimit);
      });
    }
    const settle = (code: number | null) => {
      clearTimeout(timer);
      clearTimeout(killer);
      runner.signal.removeEventListener("abort", abort);
      resolve({ code, ...output, ...(error === undefined ? {} : { error }) });
    };
    child.on("error", (cause) => {
      // Also emitted when a signal may not be sent to what sudo has started: that one gets the terminal's Ctrl-C.
      error ??= cause;
      if (child.pid === undefined) settle(null);
    });
    child.once("close", settle);
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
  });
}

/** What goes before a command for it to have root's rights and these variables. */
function withRights(
  { sudo, interactive, machine }: StepRunner,
  env: Readonly<Record<string, string>>,
): string[] {
  if (!sudo) return [];
  const kept = Object.keys(networkEnvironment(machine.env));
  return [
    "sudo",
    ...(interactive ? [] : ["--non-interactive"]),
    ...(kept.length === 0 ? [] : [`--preserve-env=${kept.join(",")}`]),
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
  ];
}

/** Unlike other children these need the user's way to the network. */
function stepEnvironment(machine: Machine): Record<string, string> {
  return {
    ...childEnvironment(machine.env),
    ...networkEnvironment(machine.env),
    PATH: searchPath(machine.env),
    LC_ALL: "C",
  };
}

function networkEnvironment(env: Machine["env"]): Record<string, string> {
  const wanted = /^((https?|no|all|ftp)_proxy|SSL_CERT_(FILE|DIR))$/i;
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value && wanted.test(name) ? [[name, value]] : [])),
  );
}
