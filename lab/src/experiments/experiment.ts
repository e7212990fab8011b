/**
 * What an experiment is: data, one k6 script, and a way to judge the run. The stages are the same for all: set up, warm
 * up, load, settle, (finish,) verify, file.
 *
 * - **parameter**: a number that a person may change for a run (`SET="rate=50"`).
 * - **step**: a stretch of load of one shape, with figures of its own. A smoke test has one, a sweep one a rate.
 * - **open model**: requests begin at a rate, whether or not earlier ones have ended, as customers do.
 * - **closed model**: a fixed number of users, each waiting for its answer before it goes on. What the system slows
 *   down it also hides: users who wait send nothing (coordinated omission). Kept for replays of published closed loops.
 * - **row**: one line of the table that an experiment makes, a run of its own with a bundle of its own.
 * - **finding**: a number that the experiment works out itself, from what was observed, beside the figures that every run has.
 */

import type { Runtime } from "../runtimes/runtime.ts";
import type { Verdict } from "../verdicts/verdict.ts";
import type { Beside } from "./beside.ts";
import type { ExpectedStatuses } from "./expected-statuses.ts";
import type { RunFigures } from "./figures.ts";
import type { ScheduledStep } from "./load-schedule.ts";

export interface Experiment {
  readonly system: string;
  readonly name: string;
  /** One line for `--help` and for the list of what exists. */
  readonly summary: string;
  /** Path below loadtests/. */
  readonly script: string;
  /** What a person may change, by name. */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** The part under load; which one it is may depend on the lab. */
  readonly target: string | ((runtime: Pick<Runtime, "endpoint">) => string);
  /** Refusals that are no errors: without it, every status of 400 and above is one. */
  readonly expectedStatuses?: ExpectedStatuses;
  /** The load, in order; a pure function of the parameters. */
  load(values: ParameterValues): readonly LoadStep[];
  /** Environment that the experiment gives to services, by part; the rest keep theirs. */
  services(values: ParameterValues): ServiceSettings;
  /** What is done to parts during the load as a part of the experiment; more come with FAULT. */
  readonly faults?: (values: ParameterValues) => readonly Fault[];
  /** Seconds that the system may take to settle after the load. */
  readonly settleSeconds: number;
  /** Bounds the settling that is measured, and says how the rest is done; without it, all settling is measured. */
  readonly finish?: (values: ParameterValues) => Finish;
  /** The runs that make up its table; without them, it is one run. Each sets the same parameters or services. */
  readonly rows?: readonly TableRow[];
  /** The system's columns of the metrics file: what is sampled beside the parts and the generator. */
  readonly samples: readonly Sample[];
  /** What a comparison of two sets of runs is decided by; the median latency unless told. See `metricsOf`. */
  readonly primaryMetric?: (values: ParameterValues) => string;
  /** What the figures of a run show, in sentences: what the experiment was made to let people see. */
  readonly readings?: (figures: RunFigures, values: ParameterValues) => readonly string[];
  /**
   * What was measured, line by line, beside what was published and what a model predicts; `services` is what services were given for
   * the run. A service's variable that follows from a parameter is not set but by it.
   */
  readonly beside?: (
    figures: RunFigures,
    values: ParameterValues,
    services: ServiceSettings,
  ) => readonly Beside[];
  /** Refuses a lab that it cannot be run on, before anything is done to it. @throws LabError */
  readonly assertUsable?: (runtime: Runtime) => Promise<void>;
  /** Parts that this lab lacks on purpose and that the experiment does without: what it has for them in `services` is left out. */
  readonly partsLacking?: (runtime: Runtime) => Promise<readonly string[]>;
  /** Notes what is there before the load, so that the run is judged by its own work. */
  observe(runtime: Runtime, plan: ObservedPlan): Promise<Observed>;
}

/** What is going to be run, as far as it matters to who observes it. */
export interface ObservedPlan {
  readonly parameters: ParameterValues;
  readonly steps: readonly ScheduledStep[];
  /** What services were given for this run, over their own configuration. */
  readonly services: ServiceSettings;
  /** Shows a person what is no reason for the run to fail. */
  tell?(text: string): void;
}

export interface TableRow {
  /** Names it in the table: "20 workers". */
  readonly name: string;
  readonly parameters: ParameterValues;
  readonly services?: ServiceSettings;
}

/**
 * A long drain is watched for a while only. What is left is done as fast as it can be, and not measured, so that every order can be
 * judged all the same.
 */
export interface Finish {
  /** For which settling is measured. */
  readonly measuredSeconds: number;
  /** Laid over the services for the rest, in this order. */
  readonly services: ServiceSettings;
}

export interface Parameter {
  readonly value: number;
  /** What it is, with its unit: "orders a second". */
  readonly meaning: string;
  readonly least: number;
  readonly most: number;
  /** Whole numbers only. */
  readonly whole?: boolean;
}

export type ParameterValues = Readonly<Record<string, number>>;

/** Environment variables by part. */
export type ServiceSettings = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface LoadStep {
  /** Names its figures; lower-case letters, digits and hyphens. */
  readonly name: string;
  /** Figures of a warm-up are kept and not compared. What is accepted in it is judged as all else. */
  readonly kind: "warm-up" | "measured";
  readonly arrivals: Arrivals;
  readonly seconds: number;
  /** Begins with the step before it, not after it. */
  readonly beside?: boolean;
  /** Seconds without load before it. */
  readonly pause_seconds?: number;
  /** Seconds after which a client hangs up; the script's own patience unless told. */
  readonly timeout_seconds?: number;
}

export type Arrivals =
  | {
      readonly model: "open";
      /** Iterations a second. */
      readonly rate: number;
    }
  | {
      readonly model: "closed";
      readonly users: number;
      /** Seconds between an answer and the same user's next request. */
      readonly think_seconds: number;
      /** Users come at this rate until all are there, as load tools spawn them; all at once unless told. */
      readonly spawn_per_second?: number | undefined;
    };

/** A column of the metrics file. */
export interface Sample {
  readonly name: string;
  /** What it counts, with its unit. */
  readonly meaning: string;
  /** It counts since some beginning and only grows, so that its highest value says nothing about a run. */
  readonly cumulative?: boolean;
}

/** What a run left behind for its judge. */
export interface FinishedLoad {
  /** Path of what the clients were told, a JSON line an answer: the only evidence of what was promised. */
  readonly answersFile: string;
  /** Requests that the load generator says it made. */
  readonly requests: number;
  /** Whether nothing was on its way any more when the time to settle was over. */
  readonly drained: boolean;
  /** Ctrl-C: judging may take long. */
  readonly signal: AbortSignal;
  /** The load as it was planned, its times in seconds after `loadBegan`. */
  readonly steps: readonly ScheduledStep[];
  /** Milliseconds since the epoch. */
  readonly loadBegan: number;
  /** Milliseconds since the epoch, when measuring ended: what was done later was done by other settings. See `Finish`. */
  readonly measuredUntil: number;
  /** Whether nothing was on its way any more by then. */
  readonly drainedInTime: boolean;
}

/** "3420 orders", in two fields. */
export interface Left {
  readonly count: number;
  readonly what: string;
}

/** A system while it is being observed. */
export interface Observed extends AsyncDisposable {
  /**
   * Makes what the load is about, at the last moment before it. Resolves to what the script is told of it, as variables of its
   * environment. A lab that is only looked at before a run is left as it is: this is not called then.
   */
  prepare?(signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Numbers for one row of the metrics file, by the names of `samples`. Rejects while they cannot be had. */
  sample(): Promise<Record<string, number>>;
  /** True once nothing is on its way any more. */
  drained(): Promise<boolean>;
  /** How much is, for people, when a run comes to no end. */
  left?(): Promise<Left>;
  /** One outcome for each invariant of the system; zero work is never held. */
  judge(run: FinishedLoad): Promise<Verdict>;
  /** Numbers by name that only this experiment has; called after `judge`. They are figures of the run, kept and compared. */
  findings?(run: FinishedLoad): Promise<Readonly<Record<string, number>>>;
}

/** What is done to a part during the load. */
export interface Fault {
  readonly part: string;
  /** `kill`, `term`, `stop` and `cont` are signals; an engine that was killed stays dead until `start`. */
  readonly action: "kill" | "term" | "stop" | "cont" | "start";
  /** Seconds after the load began, which its warm-up is a part of. */
  readonly atSeconds: number;
}
