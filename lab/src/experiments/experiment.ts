/**
 * What an experiment is: data, one k6 script, and a way to judge the run. The stages are the same for all:
 * set up, load, settle, verify.
 */

import type { Runtime } from "../runtimes/runtime.ts";
import type { Verdict } from "../verdicts/verdict.ts";

export interface Experiment {
  readonly system: string;
  readonly name: string;
  /** One line for `--help` and for the list of what exists. */
  readonly summary: string;
  /** Path below loadtests/. */
  readonly script: string;
  readonly load: {
    /** Iterations a second (open model). */
    readonly rate: number;
    readonly seconds: number;
  };
  /** The part under load. */
  readonly target: string;
  /** Environment that the experiment gives to services, by part; the rest keep theirs. */
  readonly services: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Seconds that the system may take to settle after the load. */
  readonly settleSeconds: number;
  /** Notes what is there before the load, so that the run is judged by its own work. */
  observe(runtime: Runtime): Promise<Observed>;
}

/** What a run left behind for its judge. */
export interface FinishedLoad {
  /** What the clients were told, a JSON line an answer. */
  readonly answersFile: string;
  /** Requests that the load generator says it made. */
  readonly requests: number;
  /** Whether nothing was on its way any more when the time to settle was over. */
  readonly drained: boolean;
}

/** A system while it is being observed. */
export interface Observed extends AsyncDisposable {
  /** Its columns of the metrics file. */
  readonly columns: readonly string[];
  /** Numbers for one row of the metrics file, such as queue depth. Rejects while they cannot be had. */
  sample(): Promise<Record<string, number>>;
  /** True once nothing is on its way any more. */
  drained(): Promise<boolean>;
  judge(run: FinishedLoad): Promise<Verdict>;
}

/** What is done to a part during the load. */
export interface Fault {
  readonly part: string;
  /** `kill`, `term`, `stop` and `cont` are signals; an engine that was killed stays dead until `start`. */
  readonly action: "kill" | "term" | "stop" | "cont" | "start";
  /** Seconds after the load began. */
  readonly atSeconds: number;
}
