/**
 * One part as a child process: start until it answers, stop until it is gone. It knows nothing of other parts; what an
 * unasked death means is decided by the lab, through `onDeath`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { LabError } from "../../cli/lab-error.ts";
import {
  isSame,
  type ProcessMark,
  processTable,
  processTree,
  signalQuietly,
  startMark,
} from "../../util/processes.ts";
import { openLog, tailOf } from "../log-files.ts";
import type { PartState } from "../runtime.ts";
import type { Guardian } from "./guardian.ts";
import type { PartPlan } from "./plan.ts";
import { answers } from "./probe.ts";

export interface PartOptions {
  plan: PartPlan;
  logs: string;
  guardian: Guardian;
  /** The process ended though nobody had asked it to. */
  onDeath(part: Part, how: string): void;
  /** A process began or ended. */
  onChange(): void;
}

const probeInterval = 40;
const probeTimeout = 2_000;
const tailLines = 15;

export class Part {
  readonly plan: PartPlan;
  readonly #options: PartOptions;
  #child: ChildProcess | undefined;
  #mark: ProcessMark | undefined;
  #exited: Promise<string> = Promise.resolve("not started");
  #startedAt: number | undefined;
  #deaths = 0;
  #wanted = false;
  #overrides: Readonly<Record<string, string>> = {};
  /** Descendants of the last process at the time it was killed; they have to be gone before a new start. */
  #orphans: ProcessMark[] = [];
  state: PartState = "stopped";

  constructor(options: PartOptions) {
    this.plan = options.plan;
    this.#options = options;
  }

  get name(): string {
    return this.plan.name;
  }

  /** The running process, or undefined. */
  get mark(): ProcessMark | undefined {
    return this.#mark;
  }

  /** Deaths that nobody asked for: a service is started again after each. */
  get restarts(): number {
    return this.#deaths;
  }

  get uptimeSeconds(): number | null {
    return this.#startedAt === undefined
      ? null
      : Math.round((performance.now() - this.#startedAt) / 100) / 10;
  }

  get overrides(): Readonly<Record<string, string>> {
    return this.#overrides;
  }

  /** Variables laid over the plan's environment from the next start on. */
  override(environment: Readonly<Record<string, string>>): void {
    this.#overrides = environment;
  }

  /**
   * Spawns the process and waits until it answers.
   * @throws LabError PART_FAILED when it cannot be run, ends early or does not answer in time; it is stopped then.
   * Rejects with the signal's reason when aborted.
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#awaitOrphans(signal);
    signal.throwIfAborted();
    const exited = this.#spawn();
    let end: string | undefined;
    exited.then((how) => {
      end = how;
    });
    const deadline = performance.now() + this.plan.readyTimeout;
    try {
      while (!(await answers(this.plan.probe, probeTimeout))) {
        signal.throwIfAborted();
        if (end !== undefined) throw this.failure(`${this.name} ${end} before it was ready.`);
        if (performance.now() > deadline) {
          const seconds = this.plan.readyTimeout / 1_000;
          throw this.failure(`${this.name} did not answer within ${seconds} s of its start.`);
        }
        await Promise.race([delay(probeInterval), exited]);
      }
      // Something answered; make sure it was this process and not another one on its port.
      if (end !== undefined) throw this.failure(`${this.name} ${end} before it was ready.`);
      signal.throwIfAborted();
      this.state = "running";
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /**
   * Asks the process to end, kills it after its grace period, and waits until its whole group is gone.
   * @returns true when it had to be killed
   */
  async stop(): Promise<boolean> {
    this.#wanted = false;
    const mark = this.#mark;
    let killed = false;
    if (mark !== undefined) {
      signalQuietly(mark.pid, this.plan.stopSignal);
      // A frozen process takes its signals only once it is thawed.
      signalQuietly(mark.pid, "SIGCONT");
      const grace = delay(this.plan.stopGrace, "late" as const, { ref: false });
      if ((await Promise.race([this.#exited, grace])) === "late") {
        killed = true;
        signalQuietly(-mark.pid, "SIGKILL");
        await this.#exited;
      }
    }
    this.state = "stopped";
    this.#options.onChange();
    return killed;
  }

  /**
   * Sends a signal to the main process. After SIGKILL it waits until the process is gone.
   * @param stayDead the death that follows is wanted, nobody restarts the part
   */
  async kill(signal: NodeJS.Signals, stayDead: boolean): Promise<void> {
    const mark = this.#mark;
    if (mark === undefined)
      throw new LabError("COMMAND_FAILED", `${this.name} does not run, so there is nothing to signal.`);
    const tree = processTree(await processTable(), mark.pid).slice(1);
    this.#orphans = tree.flatMap(({ pid }) => {
      const start = startMark(pid);
      return start === undefined ? [] : [{ pid, start }];
    });
    if (stayDead) this.#wanted = false;
    signalQuietly(mark.pid, signal);
    if (signal === "SIGKILL") await this.#exited;
  }

  /** The end of the part's log. */
  logTail(): string[] {
    return tailOf(this.#options.logs, this.name, tailLines);
  }

  #spawn(): Promise<string> {
    const { plan } = this;
    const log = openLog(this.#options.logs, this.name);
    this.state = "starting";
    this.#wanted = true;
    const child = spawn(plan.command, plan.args, {
      cwd: plan.cwd,
      env: { ...plan.environment, ...this.#overrides },
      // A process group of its own, so that it and all its children can be ended together.
      detached: process.platform !== "win32",
      stdio: ["ignore", log, log],
      ...(plan.uid === undefined ? {} : { uid: plan.uid }),
      ...(plan.gid === undefined ? {} : { gid: plan.gid }),
    });
    closeSync(log);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once("error", (error) => {
        if (child.pid === undefined) resolve(this.#gone(`could not be run (${error.message})`));
      });
      child.once("exit", (code, signal) => {
        resolve(this.#gone(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`));
      });
    });
    if (child.pid !== undefined) {
      this.#options.guardian.add(child.pid, plan.stopSignal);
      this.#mark = { pid: child.pid, start: startMark(child.pid) ?? "unknown" };
      this.#startedAt = performance.now();
    }
    this.#options.onChange();
    return this.#exited;
  }

  #gone(how: string): string {
    const pid = this.#child?.pid;
    if (pid !== undefined) {
      // Children that it left in its group go with it.
      signalQuietly(-pid, "SIGKILL");
      this.#options.guardian.remove(pid);
    }
    const asked = !this.#wanted;
    const ready = this.state === "running";
    if (!asked) this.#deaths += 1;
    this.#mark = undefined;
    this.#startedAt = undefined;
    this.#wanted = false;
    this.state = "stopped";
    this.#options.onChange();
    // A death before the first answer is reported by start(), whoever waits there.
    if (!asked && ready) this.#options.onDeath(this, how);
    return how;
  }

  /** A killed Postgres leaves workers behind that hold its memory for a moment. */
  async #awaitOrphans(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + 5_000;
    while (this.#orphans.some(isSame)) {
      if (performance.now() > deadline) {
        for (const orphan of this.#orphans.filter(isSame)) signalQuietly(orphan.pid, "SIGKILL");
      }
      await delay(20, undefined, { signal });
    }
    this.#orphans = [];
  }

  /** The error for a part that failed, with the end of its log. */
  failure(what: string): LabError {
    const detail = this.logTail();
    return new LabError("PART_FAILED", what, {
      reason: detail.length === 0 ? "It logged nothing." : "The end of its log follows.",
      remedy:
        detail.length === 0
          ? 'See "make doctor", which checks the machine.'
          : `Read all of it with "make logs SERVICE=${this.name}", mend what it names, and start again; "make doctor" checks the machine.`,
      detail,
    });
  }
}
