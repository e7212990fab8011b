/** One run of k6: its process, what it writes, what it says at the end. */

import { spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { LabError } from "../cli/lab-error.ts";
import { rootDir } from "../paths.ts";
import { childEnvironment } from "../util/run-command.ts";

export interface K6Options {
  /** Path of the k6 program. */
  readonly k6: string;
  /** Below loadtests/. */
  readonly script: string;
  /** Given to the script. */
  readonly variables: Readonly<Record<string, string>>;
  readonly files: K6Files;
  readonly signal: AbortSignal;
}

export interface K6Files {
  /** A JSON line an answer. */
  readonly answers: string;
  /** k6's own summary, JSON. */
  readonly summary: string;
  readonly log: string;
}

export interface K6Run {
  readonly pid: number;
  /** Resolves when k6 has ended. Never rejects. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** k6 ends with this code when a threshold was crossed; the run itself went well. */
export const THRESHOLDS_CROSSED = 99;

/** How long an interrupted k6 may take to end by itself. */
const INTERRUPT_MS = 5000;

/** @throws LabError PREREQUISITE_MISSING when k6 cannot be started */
export async function startK6(options: K6Options): Promise<K6Run> {
  const { k6, script, variables, files, signal } = options;
  // Variables such as K6_VUS would throw the script's scenarios away without a word; only these reach k6.
  const args = [
    "run",
    "--quiet",
    "--no-usage-report",
    "--no-color",
    // Its REST API would listen on a fixed port; nothing here uses it.
    "--address=127.0.0.1:0",
    "--log-format=raw",
    `--console-output=${files.answers}`,
    ...Object.entries({ ...variables, SUMMARY_FILE: files.summary }).flatMap(([name, value]) => [
      "-e",
      `${name}=${value}`,
    ]),
    join(rootDir, "loadtests", script),
  ];
  // Its own output goes to the file directly: a disk that runs full is then no matter between k6 and the lab.
  await using log = await open(files.log, "a");
  const child = spawn(k6, args, {
    env: childEnvironment(process.env),
    stdio: ["ignore", log.fd, log.fd],
    // In a group of its own: a Ctrl-C at the terminal would reach it beside the signal below, and a second one ends k6
    // before it has written its summary.
    detached: process.platform !== "win32",
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) =>
      reject(
        new LabError("PREREQUISITE_MISSING", `k6 could not be started from ${k6}.`, {
          reason: cause.message,
          remedy: 'Set K6 to the path of a k6 program; "make doctor" tells which one is found.',
          cause,
        }),
      ),
    );
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("close", (code, killedBy) => resolve({ code, signal: killedBy }));
  });
  // A second Ctrl-C ends this process at once.
  const last = () => child.kill("SIGKILL");
  process.once("exit", last);
  void ended.then(() => process.removeListener("exit", last));
  const interrupt = () => {
    child.kill("SIGINT");
    const force = setTimeout(() => child.kill("SIGKILL"), INTERRUPT_MS);
    void ended.then(() => clearTimeout(force));
  };
  if (signal.aborted) interrupt();
  else signal.addEventListener("abort", interrupt, { once: true });
  void ended.then(() => signal.removeEventListener("abort", interrupt));
  return { pid: child.pid as number, ended };
}

const metricSchema = z.object({
  values: z.record(z.string(), z.number().nullable()),
  thresholds: z.record(z.string(), z.object({ ok: z.boolean() })).optional(),
});

const summarySchema = z.object({ metrics: z.record(z.string(), metricSchema) });

export type K6Summary = z.output<typeof summarySchema>;

/** Undefined when k6 wrote none, as when it was killed or the script does not run. */
export async function readSummary(file: string): Promise<K6Summary | undefined> {
  try {
    return summarySchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return undefined;
  }
}

export function metric(summary: K6Summary, name: string, value: string): number {
  return summary.metrics[name]?.values[value] ?? 0;
}

export function crossedThresholds(summary: K6Summary): string[] {
  return Object.entries(summary.metrics).flatMap(([name, { thresholds }]) =>
    Object.entries(thresholds ?? {}).flatMap(([text, { ok }]) => (ok ? [] : [`${name} ${text}`])),
  );
}
