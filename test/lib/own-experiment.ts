/** An experiment of the test's own on a server of the test's own: what the engine does is seen without any lab. */

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Test } from "tap";
import { z } from "zod";
import { findOrBuildK6, type K6 } from "../../lab/src/engines/k6.ts";
import { readJsonLines } from "../../lab/src/experiments/answers-file.ts";
import type { Arrivals, Experiment, Observed } from "../../lab/src/experiments/experiment.ts";
import type { RunOptions } from "../../lab/src/experiments/run-experiment.ts";
import type { Runtime } from "../../lab/src/runtimes/runtime.ts";
import { noneOf, verdictOf } from "../../lab/src/verdicts/verdict.ts";
import { checkoutSettings } from "./own-lab.ts";

/** The first of all tests may have to build it: allow a file that asks for it more than these ten minutes. */
export function anyK6(t: Pick<Test, "comment">): Promise<K6> {
  return findOrBuildK6({
    settings: checkoutSettings(),
    signal: AbortSignal.timeout(600_000),
    onEvent: ({ text }) => t.comment(text),
  });
}

/** Gone when the test ends. Resolves to its URL. */
export async function ownServer(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A lab that has one part, which is always well. */
export function onePartRuntime(url: string): Runtime {
  const runtime: Partial<Runtime> = {
    name: "process",
    usage: async () => [],
    status: async () => ({ runtime: "process", state: "running", profiles: [], since: null, parts: [] }),
    endpoint: () => url,
    configure: async () => {},
    describe: async () => ({ runtime: "process", versions: {} }),
    async *logs() {
      yield { part: "server", line: "a line of its log" };
    },
  };
  return runtime as Runtime;
}

export interface OwnExperiment {
  /** Below test/e2e/load-scripts. */
  readonly script: string;
  readonly arrivals: Arrivals;
  readonly seconds: number;
  /** Before these; none unless told. */
  readonly warmUpSeconds?: number;
  /** What else observing does. */
  readonly observed?: Partial<Observed>;
}

/** Holds when every answer that a client was given is one. */
export function ownExperiment({
  script,
  arrivals,
  seconds,
  warmUpSeconds,
  observed,
}: OwnExperiment): Experiment {
  return {
    system: "engine",
    name: script.replace(/\.ts$/, ""),
    summary: "for a test",
    script: `../test/e2e/load-scripts/${script}`,
    parameters: {},
    target: "server",
    load: () => [
      ...(warmUpSeconds
        ? [{ name: "warm-up", kind: "warm-up", arrivals, seconds: warmUpSeconds } as const]
        : []),
      { name: "load", kind: "measured", arrivals, seconds },
    ],
    services: () => ({}),
    settleSeconds: 10,
    samples: [],
    observe: async () => ({
      sample: async () => ({}),
      drained: async () => true,
      async judge({ answersFile }) {
        const { values, unreadable } = await readJsonLines(answersFile, answerSchema);
        const wrong = values.filter(({ status }) => status >= 400).map(({ id }) => id);
        const detail = `Answers were right; ${unreadable} lines could not be read.`;
        return verdictOf([noneOf("answers-are-right", wrong, { checked: values.length, detail })]);
      },
      async [Symbol.asyncDispose]() {},
      ...observed,
    }),
  };
}

const answerSchema = z.object({ id: z.string(), status: z.int() });

/** What a run needs beside its experiment. */
export function runOptions(
  options: Pick<RunOptions, "experiment" | "runtime" | "k6" | "resultsDir"> & Partial<RunOptions>,
): RunOptions {
  return {
    environment: "local",
    faults: [],
    signal: AbortSignal.timeout(60_000),
    onStage: () => {},
    onRow: () => {},
    ...options,
  };
}
