/** Faults during a run, as data: what is done to which part, and when. */

import { setTimeout as sleep } from "node:timers/promises";
import { LabError, messageOf } from "../cli/lab-error.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { Fault } from "./experiment.ts";

const SIGNALS = { kill: "SIGKILL", term: "SIGTERM", stop: "SIGSTOP", cont: "SIGCONT" } as const;
const PATTERN = /^(kill|term|stop|cont|start):([a-z][a-z0-9-]*)@(\d{1,5}(?:\.\d{1,3})?)s?$/;

/**
 * Reads `kill:orders-processor@3s`.
 * @throws LabError USAGE
 */
export function parseFault(text: string): Fault {
  const match = PATTERN.exec(text);
  if (!match) {
    throw new LabError("USAGE", `${JSON.stringify(text)} is no fault.`, {
      remedy: "Write it as kill:orders-processor@3s; what is done is one of kill, term, stop, cont, start.",
    });
  }
  const [, action, part, seconds] = match as unknown as [string, Fault["action"], string, string];
  return { part, action, atSeconds: Number(seconds) };
}

/** @throws LabError USAGE for a part that the lab does not have, or a moment at which the load is over */
export async function checkFaults(
  faults: readonly Fault[],
  runtime: Runtime,
  loadSeconds: number,
): Promise<void> {
  const { parts } = await runtime.status();
  const known = parts.map(({ name }) => name);
  for (const { part, atSeconds } of faults) {
    if (!known.includes(part)) {
      throw new LabError("USAGE", `There is no part ${JSON.stringify(part)} to do this to.`, {
        remedy: `Take one of: ${known.join(", ")}.`,
      });
    }
    if (atSeconds >= loadSeconds) {
      throw new LabError(
        "USAGE",
        `A fault at ${atSeconds} s would miss the load, which lasts ${loadSeconds} s.`,
      );
    }
  }
}

export interface InjectOptions {
  /** Milliseconds since the epoch when the load began; never settled when it does not begin. */
  readonly loadBegan: Promise<number>;
  /** Aborted when the load is over: what has not been done by then is left out. */
  readonly over: AbortSignal;
  onFault(text: string): void;
}

/** A fault that was done. */
export interface DoneFault extends Fault {
  /** Seconds after the load began, when it was done. */
  readonly doneAtSeconds: number;
}

/**
 * Resolves when all faults are done, or the load is over, to those that were.
 * @throws LabError when one could not be done: a run without its fault would pass for one that survived it
 */
export async function injectFaults(
  faults: readonly Fault[],
  runtime: Runtime,
  { loadBegan, over, onFault }: InjectOptions,
): Promise<readonly DoneFault[]> {
  if (faults.length === 0) return [];
  const ended = new Promise<undefined>((resolve) => {
    if (over.aborted) resolve(undefined);
    else over.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  const began = await Promise.race([loadBegan, ended]);
  if (began === undefined) return [];
  const done = await Promise.all(
    faults.map(async (fault): Promise<DoneFault | undefined> => {
      const { part, action, atSeconds } = fault;
      const wait = Math.max(0, began + atSeconds * 1000 - Date.now());
      await sleep(wait, undefined, { signal: over }).catch(() => {});
      if (over.aborted) return undefined;
      const doneAtSeconds = (Date.now() - began) / 1000;
      if (action === "start") await runtime.start(part);
      else await runtime.kill(part, SIGNALS[action]);
      onFault(`fault: ${action} ${part} at ${doneAtSeconds.toFixed(1)} s`);
      return { ...fault, doneAtSeconds };
    }),
  );
  return done.filter((fault) => fault !== undefined);
}

/** An engine that a fault has ended stays so until it is started, what is frozen until it is thawed. Never rejects. */
export async function undoFaults(
  faults: readonly Fault[],
  runtime: Runtime,
  onStage: (text: string) => void,
): Promise<void> {
  if (faults.length === 0) return;
  const frozen = new Set<string>();
  for (const { part, action } of faults.toSorted((a, b) => a.atSeconds - b.atSeconds)) {
    if (action === "stop") frozen.add(part);
    else frozen.delete(part);
  }
  const tell = (what: string) => (error: unknown) => onStage(`${what}: ${messageOf(error)}`);
  for (const part of frozen) {
    onStage(`thawing ${part}, which a fault has frozen`);
    await runtime.kill(part, "SIGCONT").catch(tell(`${part} was not thawed`));
  }
  const hit = new Set(faults.map(({ part }) => part));
  const status = await runtime.status().catch(() => undefined);
  for (const { name, kind, state } of status?.parts ?? []) {
    if (kind !== "engine" || state !== "stopped" || !hit.has(name)) continue;
    onStage(`starting ${name} again, which a fault has ended`);
    await runtime.start(name).catch(tell(`${name} did not start`));
  }
}
