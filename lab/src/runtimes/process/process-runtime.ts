/**
 * The process runtime: every part a child process of one detached supervisor. This is its command side; it finds the
 * supervisor through the state file and talks to it over the control socket. What is run is said by a plan, which the
 * caller provides.
 */
import { setTimeout as delay } from "node:timers/promises";
import { hasCode, LabError } from "../../cli/lab-error.ts";
import { type LabPaths, labPaths } from "../../paths.ts";
import { type Profile, profiles } from "../../settings.ts";
import { Cgroups } from "../../util/cgroups.ts";
import { assertPortsFree } from "../../util/ports.ts";
import { isSame, processTable, signalQuietly } from "../../util/processes.ts";
import { lockCommand, waitForCommandLock } from "../command-lock.ts";
import { readLogs } from "../log-files.ts";
import type {
  DownReport,
  LabEvent,
  LabStatus,
  LogLine,
  LogsOptions,
  PartUsage,
  Runtime,
  RuntimeDescription,
  UpOptions,
} from "../runtime.ts";
import { type ControlRequest, request, socketPath } from "./control.ts";
import { launch } from "./launch.ts";
import type { LabPlan } from "./plan.ts";
import { type LabStateFile, readFailure, readState, removeFailure, sweep } from "./state.ts";
import { describeUnlike, unlikeSettings, type WantedVariables } from "./unlike-settings.ts";
import { usageOf } from "./usage.ts";

/** A port that a plan will use, known before anything is prepared. */
export interface PlannedPart {
  name: string;
  port: number;
  portVariable?: string | undefined;
}

/** Says what to run. */
export interface PlanSource {
  /** The parts and their ports, without any side effect. */
  parts(profiles: readonly Profile[]): readonly PlannedPart[];
  /** What the settings give to the parts, as far as a change of it is told: see `unlikeSettings`. */
  variables?(profiles: readonly Profile[]): WantedVariables;
  /** Prepares what has to be there (binaries, data directories) and returns the plan. */
  prepare(profiles: readonly Profile[], context: PrepareContext): Promise<LabPlan>;
  /** The part's URL with credentials, when the plan has such a part. */
  endpoint(part: string): string | undefined;
}

export interface PrepareContext {
  signal: AbortSignal;
  onEvent(event: LabEvent): void;
}

export interface ProcessRuntimeOptions {
  /** Absolute path. */
  labDir: string;
  source: PlanSource;
}

const statusTimeout = 10_000;
const shutdownTimeout = 90_000;
const operationTimeout = 120_000;

export class ProcessRuntime implements Runtime {
  readonly name = "process";
  readonly #paths: LabPaths;
  readonly #source: PlanSource;
  readonly #defaultSocket: string;
  readonly #cgroups = new Cgroups();

  constructor(options: ProcessRuntimeOptions) {
    this.#paths = labPaths(options.labDir);
    this.#source = options.source;
    this.#defaultSocket = socketPath(options.labDir);
  }

  async up(options: UpOptions): Promise<LabStatus> {
    using _lock = lockCommand(this.#paths);
    const running = await this.#runningAlready(options.profiles);
    if (running !== undefined) {
      await this.#tellUnlikeSettings(running, options);
      return running;
    }
    const swept = await this.#sweep();
    if (swept > 0)
      options.onEvent({ kind: "warn", text: `Ended ${swept} processes that an earlier lab had left behind` });
    const planned = this.#source.parts(options.profiles);
    await assertPortsFree(
      planned.map(({ name, port, portVariable }) => ({ part: name, port, variable: portVariable })),
    );
    const { signal, onEvent } = options;
    const plan = await this.#source.prepare(options.profiles, { signal, onEvent });
    return await launch(this.#paths, plan, { signal, onEvent });
  }

  async down(): Promise<DownReport> {
    const began = performance.now();
    const report = { was_running: false, killed: [] as string[], swept: 0 };
    using _lock = await waitForCommandLock(this.#paths);
    const state = readState(this.#paths);
    try {
      const answer = (await request(this.#socketOf(state), { op: "shutdown" }, shutdownTimeout)) as {
        killed: string[];
      };
      report.was_running = true;
      report.killed = answer.killed;
      if (state !== undefined) await this.#supervisorGone(state, 5_000);
    } catch (error) {
      // Whatever is wrong with the supervisor, sweeping below ends it and its parts.
      if (!(error instanceof LabError)) throw error;
    }
    report.swept = await this.#sweep();
    removeFailure(this.#paths);
    return { ...report, seconds: Math.round((performance.now() - began) / 100) / 10 };
  }

  /** All of it is below LAB_DIR or listed in its `outside.json`. */
  async removeData(): Promise<void> {}

  async status(): Promise<LabStatus> {
    const state = readState(this.#paths);
    const failure = readFailure(this.#paths);
    const stopped = { runtime: "process" as const, profiles: state?.profiles ?? [], since: null, parts: [] };
    try {
      return (await request(this.#socketOf(state), { op: "status" }, statusTimeout)) as LabStatus;
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      if (state === undefined) {
        return {
          ...stopped,
          state: failure === undefined ? "stopped" : "failed",
          ...(failure && { failure }),
        };
      }
      // It may have stopped in order between our two looks.
      if (readState(this.#paths) === undefined) return this.status();
      return { ...stopped, state: "failed", failure: failure ?? this.#supervisorFailure(state) };
    }
  }

  /** Looks for itself, at one pass over the machine's processes: the supervisor is not made to work beside a load. */
  async usage(): Promise<PartUsage[]> {
    const parts = readState(this.#paths)?.parts ?? [];
    const table = parts.length === 0 ? [] : await processTable();
    return parts.map(({ name, process: mark }) => ({ name, ...usageOf(table, mark?.pid, this.#cgroups) }));
  }

  logs(options: LogsOptions): AsyncIterable<LogLine> {
    const known = readState(this.#paths)?.parts ?? this.#source.parts(profiles);
    const names = [...known.map(({ name }) => name), "supervisor"];
    const unknown = options.parts.find((part) => !names.includes(part));
    if (unknown !== undefined) {
      throw new LabError("NO_SUCH_PART", `There is no part "${unknown}".`, {
        remedy: `Name one of: ${names.join(", ")}.`,
      });
    }
    const parts = options.parts.length > 0 ? options.parts : names;
    return readLogs(this.#paths.logs, parts, options);
  }

  async configure(service: string, environment: Record<string, string>): Promise<void> {
    await this.#operate({ op: "configure", part: service, environment });
  }

  async variables(part: string, names: readonly string[]): Promise<Record<string, string>> {
    const socket = this.#socketOf(readState(this.#paths));
    const message = { op: "variables" as const, part, names: [...names] };
    return (await request(socket, message, statusTimeout)) as Record<string, string>;
  }

  async kill(part: string, signal: NodeJS.Signals): Promise<void> {
    await this.#operate({ op: "kill", part, signal });
  }

  async start(part: string): Promise<void> {
    await this.#operate({ op: "start", part });
  }

  async stop(part: string): Promise<void> {
    await this.#operate({ op: "stop", part });
  }

  endpoint(part: string): string {
    const url =
      this.#source.endpoint(part) ?? readState(this.#paths)?.parts.find(({ name }) => name === part)?.url;
    if (url !== undefined) return url;
    throw new LabError("NO_SUCH_PART", `There is no part "${part}".`);
  }

  async describe(): Promise<RuntimeDescription> {
    const { parts } = await this.status();
    const versions = Object.fromEntries(parts.map(({ name, version }) => [name, version]));
    return { runtime: this.name, versions: { node: process.versions.node, ...versions } };
  }

  async #operate(message: ControlRequest): Promise<void> {
    await request(this.#socketOf(readState(this.#paths)), message, operationTimeout);
  }

  /** Somebody may have removed LAB_DIR below a running lab; its socket is elsewhere and is still found. */
  #socketOf(state: LabStateFile | undefined): string {
    return state?.socket ?? this.#defaultSocket;
  }

  /** The status of a lab that needs no start, undefined when there is none. */
  async #runningAlready(profiles: readonly Profile[]): Promise<LabStatus | undefined> {
    const status = await this.status();
    if (status.state === "stopped" || status.state === "failed") return undefined;
    const same = [...status.profiles].sort().join() === [...profiles].sort().join();
    if (same) this.#assertSameParts(status, profiles);
    if (status.state === "running" && same) return status;
    if (status.state === "stopping") {
      throw new LabError("BUSY", "The lab is being stopped.", {
        reason: status.failure?.what,
        remedy: 'Start it again when "make status" says that it is stopped.',
      });
    }
    if (!same) {
      const runs = status.profiles.join(",");
      throw new LabError("OTHER_LAB_RUNNING", `A lab with profile ${runs} is running.`, {
        reason: `This command is for profile ${profiles.join(",")}.`,
        remedy: `Run "make down" first, or take the lab that runs: PROFILE=${runs}, as in "make up PROFILE=${runs}".`,
      });
    }
    const bad = status.parts
      .filter(({ state }) => state !== "running")
      .map(({ name, state }) => `${name} is ${state}`);
    throw new LabError("NOT_HEALTHY", `The lab is running already and is ${status.state}.`, {
      reason: `${bad.join(", ")}.`,
      remedy: 'See "make status" and "make logs"; "make down" and "make up" begin anew.',
    });
  }

  /** Other parts or ports than those that run are a matter of settings that have changed: never left unsaid. */
  #assertSameParts({ parts }: LabStatus, profiles: readonly Profile[]): void {
    const planned = namesAndPorts(this.#source.parts(profiles));
    const running = namesAndPorts(parts);
    const without = running.filter((part) => !planned.includes(part));
    const instead = planned.filter((part) => !running.includes(part));
    if (without.length + instead.length === 0) return;
    throw new LabError("OTHER_LAB_RUNNING", "The lab is running with other settings.", {
      reason: [
        ...(without.length > 0 ? [`It runs ${without.join(", ")}; with these settings it would not.`] : []),
        ...(instead.length > 0 ? [`These settings want ${instead.join(", ")}.`] : []),
      ].join(" "),
      remedy: 'Run "make down" first, or start with the settings that it runs with.',
    });
  }

  async #tellUnlikeSettings(status: LabStatus, { profiles, onEvent }: UpOptions): Promise<void> {
    const wanted = this.#source.variables?.(profiles) ?? {};
    const unlike = await unlikeSettings(wanted, status, (part, names) => this.variables(part, names));
    if (unlike.length > 0) onEvent({ kind: "warn", text: describeUnlike(unlike) });
  }

  /** Ends leftovers. A supervisor that is alive but does not answer is one of them. */
  async #sweep(): Promise<number> {
    try {
      return await sweep(this.#paths);
    } catch (error) {
      if (hasCode(error, "ENOENT")) return 0;
      throw error;
    }
  }

  async #supervisorGone(state: LabStateFile, timeout: number): Promise<void> {
    const deadline = performance.now() + timeout;
    while (isSame(state.supervisor)) {
      if (performance.now() > deadline) signalQuietly(state.supervisor.pid, "SIGKILL");
      await delay(10);
    }
  }

  #supervisorFailure(state: LabStateFile) {
    const alive = isSame(state.supervisor);
    const what = alive
      ? `The supervisor (pid ${state.supervisor.pid}) is there but does not answer.`
      : `The supervisor (pid ${state.supervisor.pid}) was ended from outside; its parts were ended after it.`;
    return { part: "supervisor", what, log_tail: [], at: new Date().toISOString() };
  }
}

function namesAndPorts(parts: readonly { name: string; port: number | null }[]): string[] {
  return parts.map(({ name, port }) => `${name} on port ${port}`);
}
