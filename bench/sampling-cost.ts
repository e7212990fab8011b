/**
 * What sampling a lab costs, on both runtimes: processor time of this process for each `usage()` and, for comparison, each
 * `status()`, asked once a second in turns, as a run asks. With it that of the one who is asked: the Docker engine, or the
 * supervisor of a lab of processes; what it took while nobody asked is subtracted. The parts idle meanwhile.
 * Goal: a sample takes less than 1 % of one core of this process. The containers' part needs a Docker engine.
 */

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { findEngine } from "../lab/src/docker/engine.ts";
import { labPaths } from "../lab/src/paths.ts";
import { readState } from "../lab/src/runtimes/process/state.ts";
import type { RuntimeName } from "../lab/src/settings.ts";
import { processTable, processTree } from "../lab/src/util/processes.ts";
import { startLab } from "./lib/own-lab.ts";
import { median, spread } from "./lib/ratio.ts";

const SAMPLES = 30;
const PERIOD_MS = 1_000;
const GOAL_MS = 10;
/** Where the engine writes its pid down on Linux, unless told otherwise. */
const enginePidFile = "/var/run/docker.pid";
const signal = AbortSignal.timeout(15 * 60_000);

/** Milliseconds of processor time of this process that each of the calls took; the first one, which looks around, is left out. */
async function costOf(work: () => Promise<unknown>): Promise<number[]> {
  await work();
  const costs: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    await sleep(PERIOD_MS, undefined, { signal });
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / 1000);
  }
  return costs;
}

/** Milliseconds of processor time so far; undefined when it cannot be seen from here. */
async function takenBy(pid: number | undefined): Promise<number | undefined> {
  const [row] = pid === undefined ? [] : processTree(await processTable(), pid);
  return row && row.cpuSeconds * 1000;
}

function engineHere(): number | undefined {
  try {
    return Number(readFileSync(enginePidFile, "utf8"));
  } catch {
    return undefined;
  }
}

async function measure(name: RuntimeName): Promise<boolean> {
  await using lab = await startLab(name, signal);
  const { runtime, settings } = lab;
  const asked = name === "compose" ? engineHere() : readState(labPaths(settings.labDir))?.supervisor.pid;
  const works = {
    nothing: async () => {},
    "usage()": () => runtime.usage(),
    "status()": () => runtime.status(),
  };
  const parts = (await runtime.usage()).length;
  console.log(`${name}: ${parts} parts, ${(await processTable()).length} processes on the machine`);
  const others: Record<string, number | undefined> = {};
  const own: Record<string, number[]> = {};
  for (const [work, run] of Object.entries(works)) {
    const before = await takenBy(asked);
    own[work] = await costOf(run);
    const after = await takenBy(asked);
    others[work] = before === undefined || after === undefined ? undefined : (after - before) / SAMPLES;
  }
  const who = name === "compose" ? "the engine" : "the supervisor";
  for (const work of ["usage()", "status()"]) {
    const [more, idle] = [others[work], others.nothing];
    const other = more === undefined || idle === undefined ? "unknown" : `${(more - idle).toFixed(1)} ms`;
    console.log(`  ${work.padEnd(9)} ${spread(own[work] ?? [])} ms of this process, ${who}: ${other}`);
  }
  return median(own["usage()"] ?? []) < GOAL_MS;
}

const found = await findEngine();
const good = [await measure("process")];
if (found.usable) good.push(await measure("compose"));
else console.log(`compose: not measured: ${found.reason} ${found.remedy}`);
console.log(`(processor time a sample, ${SAMPLES} of each; goal: usage() under ${GOAL_MS} ms)`);
process.exitCode = good.every(Boolean) ? 0 : 1;
