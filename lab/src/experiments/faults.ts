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
 * Resolves when all faults are done, or the load is over, to those that were. What is done to one part is done in turn.
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
  const lastOf = new Map<string, Promise<DoneFault | undefined>>();
  const inject = async (
    fault: Fault,
    before: Promise<unknown> | undefined,
  ): Promise<DoneFault | undefined> => {
    const { part, action, atSeconds } = fault;
    const wait = Math.max(0, began + atSeconds * 1000 - Date.now());
    await sleep(wait, undefined, { signal: over }).catch(() => {});
    if (over.aborted) return undefined;
    // An engine may take longer to kill than until the start: begun beside it, the start would find the part running.
    await before;
    const doneAtSeconds = (Date.now() - began) / 1000;
    if (action === "start") await runtime.start(part);
    else await runtime.kill(part, SIGNALS[action]);
    onFault(`fault: ${action} ${part} at ${doneAtSeconds.toFixed(1)} s`);
    return { ...fault, doneAtSeconds };
  };
  const injected = faults
    .toSorted((a, b) => a.atSeconds - b.atSeconds)
    .map((fault) => {
      const mine = inject(fault, lastOf.get(fault.part));
      lastOf.set(fault.part, mine);
      return mine;
    });
  return (await Promise.all(injected)).filter((fault) => fault !== undefined);
}

/** What faults leave behind: what is frozen stays so until it is thawed, an engine that was ended until it is started. */
export class LeftByFaults {
  readonly #faults: readonly Fault[];
  readonly #runtime: Pick<Runtime, "kill" | "start" | "status">;
  readonly #tell: (text: string) => void;
  readonly #frozen = new Set<string>();

  constructor(
    faults: readonly Fault[],
    runtime: Pick<Runtime, "kill" | "start" | "status">,
    onStage: (text: string) => void,
  ) {
    this.#faults = faults;
    this.#runtime = runtime;
    this.#tell = onStage;
    for (const { part, action } of faults.toSorted((a, b) => a.atSeconds - b.atSeconds)) {
      if (action === "stop") this.#frozen.add(part);
      else this.#frozen.delete(part);
    }
  }

  /** Each part once. Never rejects; resolves to whether there was any. */
  async thaw(): Promise<boolean> {
    const frozen = [...this.#frozen];
    this.#frozen.clear();
    for (const part of frozen) {
      this.#tell(`thawing ${part}, which a fault has frozen`);
      await this.#runtime.kill(part, "SIGCONT").catch(this.#failed(`${part} was not thawed`));
    }
    return frozen.length > 0;
  }

  /** Thaws, and starts engines again. Never rejects. */
  async undo(): Promise<void> {
    if (this.#faults.length === 0) return;
    await this.thaw();
    const hit = new Set(this.#faults.map(({ part }) => part));
    const status = await this.#runtime.status().catch(() => undefined);
    for (const { name, kind, state } of status?.parts ?? []) {
      if (kind !== "engine" || state !== "stopped" || !hit.has(name)) continue;
      this.#tell(`starting ${name} again, which a fault has ended`);
      await this.#runtime.start(name).catch(this.#failed(`${name} did not start`));
    }
  }

  #failed(what: string) {
    return (error: unknown) => this.#tell(`${what}: ${messageOf(error)}`);
  }
}
