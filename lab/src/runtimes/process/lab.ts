/**
 * The lab inside the supervisor: all parts, in order. It starts what others depend on first, restarts services within
 * bounds, and stops as a whole when an engine dies unasked. Operations on single parts run one after another.
 */
import { setTimeout as delay } from "node:timers/promises";
import { LabError, messageOf } from "../../cli/lab-error.ts";
import { Cgroups } from "../../util/cgroups.ts";
import { pick } from "../../util/pick.ts";
import { type ProcessRow, processTable } from "../../util/processes.ts";
import { archiveLog, boundLog } from "../log-files.ts";
import type { LabEvent, LabFailure, LabState, LabStatus, PartStatus } from "../runtime.ts";
import type { Guardian } from "./guardian.ts";
import { Part } from "./part.ts";
import type { LabPlan, PartPlan } from "./plan.ts";
import { answers } from "./probe.ts";
import { usageOf } from "./usage.ts";

export interface LabOptions {
  plan: LabPlan;
  logs: string;
  guardian: Guardian;
  onEvent(event: LabEvent): void;
  /** Processes or states changed; time to write the state file. */
  onChange(): void;
  /** An engine died unasked; the lab cannot go on. */
  onFatal(failure: LabFailure): void;
}

const harmlessSignals: readonly string[] = ["SIGSTOP", "SIGCONT", "SIGUSR1", "SIGUSR2", "SIGHUP", "SIGWINCH"];
const logCheckInterval = 5_000;

export class Lab {
  readonly parts: readonly Part[];
  readonly since = new Date().toISOString();
  readonly #options: LabOptions;
  readonly #deaths = new Map<string, number[]>();
  readonly #excused = new Set<string>();
  readonly #stopping = new AbortController();
  /** Aborted with the error of the first part that failed during start-up. */
  readonly #startFailed = new AbortController();
  readonly #logTimer: NodeJS.Timeout;
  readonly #cgroups = new Cgroups();
  #phase: "starting" | "running" | "stopping" = "starting";
  /** Why it stops by itself. */
  #failure: LabFailure | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LabOptions) {
    this.#options = options;
    const { logs, guardian, onChange } = options;
    this.parts = options.plan.parts.map(
      (plan) => new Part({ plan, logs, guardian, onChange, onDeath: (part, how) => this.#died(part, how) }),
    );
    for (const part of this.parts) archiveLog(logs, part.name);
    this.#logTimer = setInterval(() => {
      for (const name of [...this.parts.map((part) => part.name), "supervisor"]) boundQuietly(logs, name);
    }, logCheckInterval);
    this.#logTimer.unref();
  }

  /**
   * Starts every part once those it depends on answer.
   * @throws LabError of the first part that failed, or the signal's reason; the caller then stops the lab
   */
  async startAll(signal: AbortSignal): Promise<void> {
    const failed = this.#startFailed;
    const both = AbortSignal.any([signal, failed.signal]);
    const started = new Map<string, Promise<void>>();
    const start = (part: Part): Promise<void> => {
      const known = started.get(part.name);
      if (known !== undefined) return known;
      const promise = this.#startAfter(
        part,
        part.plan.dependsOn.map((name) => start(this.#part(name))),
        both,
      );
      started.set(part.name, promise);
      // The others need not be waited for once one has failed.
      promise.catch((error: unknown) => failed.abort(error));
      return promise;
    };
    const results = await Promise.allSettled(this.parts.map(start));
    signal.throwIfAborted();
    if (failed.signal.aborted) throw failed.signal.reason;
    const bad = results.find((result) => result.status === "rejected");
    if (bad !== undefined) throw bad.reason;
    const dead = this.parts.find((part) => part.mark === undefined);
    if (dead !== undefined) throw dead.failure(`${dead.name} died while the others were starting.`);
    this.#phase = "running";
  }

  /**
   * Stops every part once those that depend on it are gone. Never rejects.
   * @returns names of the parts that had to be killed
   */
  async stopAll(): Promise<string[]> {
    this.#phase = "stopping";
    this.#stopping.abort(new LabError("INTERRUPTED", "The lab is being stopped."));
    clearInterval(this.#logTimer);
    await this.#turn.catch(() => {});
    const killed: string[] = [];
    const stopped = new Map<string, Promise<void>>();
    const stop = (part: Part): Promise<void> => {
      const known = stopped.get(part.name);
      if (known !== undefined) return known;
      const dependants = this.parts.filter((other) => other.plan.dependsOn.includes(part.name));
      const promise = Promise.all(dependants.map(stop)).then(async () => {
        if (await part.stop()) killed.push(part.name);
      });
      stopped.set(part.name, promise);
      return promise;
    };
    await Promise.all(this.parts.map(stop));
    return killed;
  }

  get profiles(): readonly string[] {
    return this.#options.plan.profiles;
  }

  /** What runs now; asks every running part whether it answers. */
  async status(): Promise<LabStatus> {
    const table = await processTable();
    const parts = await Promise.all(this.parts.map((part) => statusOf(part, table, this.#cgroups)));
    const bad = parts.some((part) => part.state !== "running");
    const state: LabState = this.#phase !== "running" ? this.#phase : bad ? "degraded" : "running";
    const { profiles } = this.#options.plan;
    const failure = this.#failure;
    return { runtime: "process", state, profiles, since: this.since, parts, ...(failure && { failure }) };
  }

  /** See Runtime.configure. */
  configure(name: string, environment: Readonly<Record<string, string>>): Promise<void> {
    return this.#exclusively(async () => {
      const part = this.#part(name);
      if (part.plan.kind !== "service") {
        throw new LabError("NO_SUCH_PART", `${name} is an engine; only services are configured.`, {
          remedy: `Name one of: ${this.#names("service")}.`,
        });
      }
      const former = part.overrides;
      await part.stop();
      part.override(environment);
      try {
        await part.start(this.#stopping.signal);
      } catch (error) {
        part.override(former);
        if (!this.#stopping.signal.aborted) await part.start(this.#stopping.signal);
        throw error;
      }
    });
  }

  /** See Runtime.variables. */
  variables(name: string, names: readonly string[]): Record<string, string> {
    const { plan, overrides } = this.#part(name);
    return pick({ ...plan.environment, ...overrides }, names);
  }

  /** See Runtime.kill. */
  kill(name: string, signal: NodeJS.Signals): Promise<void> {
    return this.#exclusively(async () => {
      const part = this.#part(name);
      const deadly = !harmlessSignals.includes(signal);
      // What an experiment kills does not count as a crash of the service.
      if (deadly && part.plan.kind === "service") this.#excused.add(name);
      await part.kill(signal, deadly && part.plan.kind === "engine");
    });
  }

  /** See Runtime.start. */
  start(name: string): Promise<void> {
    return this.#exclusively(async () => {
      const part = this.#part(name);
      if (part.state === "running") return;
      this.#deaths.delete(name);
      await part.start(this.#stopping.signal);
    });
  }

  /** See Runtime.stop. */
  stop(name: string): Promise<void> {
    return this.#exclusively(async () => {
      await this.#part(name).stop();
    });
  }

  async #startAfter(part: Part, needs: readonly Promise<void>[], signal: AbortSignal): Promise<void> {
    await Promise.all(needs);
    const began = performance.now();
    await part.start(signal);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    this.#options.onEvent({
      kind: "done",
      text: `${part.name} answers at ${part.plan.url} (${seconds} s)`,
      part: part.name,
    });
  }

  #died(part: Part, how: string): void {
    if (this.#phase === "starting") {
      // Otherwise those that depend on it would wait in vain, and the first to give up would get the blame.
      this.#startFailed.abort(part.failure(`${part.name} ${how} while the others were starting.`));
    }
    // While stopping a death is what we want.
    if (this.#phase !== "running") return;
    if (part.plan.kind === "engine") {
      const what = `${part.name} ${how} though nobody asked it to.`;
      this.#failure = { part: part.name, what, log_tail: part.logTail(), at: new Date().toISOString() };
      this.#options.onFatal(this.#failure);
      return;
    }
    void this.#restart(part);
  }

  /** Restarts a dead service until it answers, or gives it up after too many deaths within the window. */
  async #restart(part: Part): Promise<void> {
    const { firstDelay, mostDelay, mostDeaths, window } = this.#options.plan.restarts;
    const now = performance.now();
    const deaths = (this.#deaths.get(part.name) ?? []).filter((at) => now - at < window);
    if (!this.#excused.delete(part.name)) deaths.push(now);
    this.#deaths.set(part.name, deaths);
    if (deaths.length >= mostDeaths) {
      part.state = "failed";
      this.#options.onChange();
      return;
    }
    part.state = "restarting";
    const pause = Math.min(mostDelay, firstDelay * 2 ** Math.max(0, deaths.length - 1));
    const { signal } = this.#stopping;
    await delay(pause, undefined, { signal }).catch(() => {});
    // Its turn may come after a stop(), start() or configure() of the same part, which then has the last word.
    await this.#exclusively(async () => {
      if (signal.aborted || part.state !== "restarting") return;
      await part.start(signal);
    }).catch((error: unknown) => {
      if (signal.aborted) return;
      console.error(`${part.name} was not restarted: ${messageOf(error)}`);
      return this.#restart(part);
    });
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(() => {
      this.#stopping.signal.throwIfAborted();
      return work();
    });
    this.#turn = mine.catch(() => {});
    return mine;
  }

  #part(name: string): Part {
    const part = this.parts.find((candidate) => candidate.name === name);
    if (part !== undefined) return part;
    throw new LabError("NO_SUCH_PART", `There is no part "${name}".`, {
      remedy: `Name one of: ${this.#names()}.`,
    });
  }

  #names(kind?: PartPlan["kind"]): string {
    return this.parts
      .filter(({ plan }) => kind === undefined || plan.kind === kind)
      .map(({ name }) => name)
      .join(", ");
  }
}

/** On a full disk a log cannot be moved aside; the lab goes on as long as its parts do. */
function boundQuietly(logs: string, name: string): void {
  try {
    boundLog(logs, name);
  } catch (error) {
    console.error(`The log of ${name} cannot be bounded: ${messageOf(error)}`);
  }
}

async function statusOf(part: Part, table: readonly ProcessRow[], cgroups: Cgroups): Promise<PartStatus> {
  const { plan, mark } = part;
  const silent = part.state === "running" && !(await answers(plan.probe, 1_000));
  return {
    name: plan.name,
    kind: plan.kind,
    state: silent && part.state === "running" ? "unhealthy" : part.state,
    pid: mark?.pid ?? null,
    container: null,
    port: plan.port,
    url: plan.url,
    restarts: part.restarts,
    uptime_seconds: part.uptimeSeconds,
    ...usageOf(table, mark?.pid, cgroups),
    version: plan.version,
    overrides: part.overrides,
  };
}
