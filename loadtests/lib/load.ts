/**
 * The load: how requests arrive, step by step. The lab plans it and hands it over in LOAD; run by hand, a script has a
 * default of its own. A step is a scenario of k6, so that answers and iterations are counted by step.
 */

import { sleep } from "k6";
import exec from "k6/execution";
import type { Options, Scenario } from "k6/options";

export interface Step {
  /** Names the scenario. */
  readonly name: string;
  /** Seconds after the load began. */
  readonly begins: number;
  readonly seconds: number;
  /** Seconds after which a client hangs up; the script's own patience unless told. */
  readonly timeout_seconds?: number;
  readonly arrivals:
    | { readonly model: "open"; readonly rate: number }
    | {
        readonly model: "closed";
        readonly users: number;
        readonly think_seconds: number;
        /** Users come at this rate; all at once unless told. */
        readonly spawn_per_second?: number;
      };
}

/** What LOAD holds, or the script's own. */
export function plannedLoad(otherwise: readonly Step[]): readonly Step[] {
  const text = __ENV.LOAD;
  return text ? (JSON.parse(text) as Step[]) : otherwise;
}

/**
 * Scenarios and thresholds for k6's options.
 * @param patienceSeconds the longest an iteration may take, where the step does not say when its clients hang up. It sets how many
 *   virtual users must stand ready, since an arrival that finds none is dropped and makes the run invalid.
 */
export function scenariosOf(
  steps: readonly Step[],
  patienceSeconds: number,
): Pick<Options, "scenarios" | "thresholds"> {
  // k6 reads the options once. Every user runs this, too, and would keep what it makes: 50 kB.
  if (__VU > 0) return {};
  const counted = steps.flatMap(({ name }) => [
    // Thresholds that always hold: they make k6 count by scenario.
    [`iterations{scenario:${name}}`, ["count>=0"]],
    [`http_reqs{scenario:${name}}`, ["count>=0"]],
    [`dropped_iterations{scenario:${name}}`, ["count>=0"]],
  ]);
  return {
    scenarios: Object.fromEntries(steps.map((step) => [step.name, scenario(step, patienceSeconds)])),
    thresholds: Object.fromEntries(counted) as Record<string, string[]>,
  };
}

/**
 * Tells the lab when the load begins, which is some time after k6 was started: users have to be made first. Re-export it from
 * every script.
 */
export function setup(): void {
  console.log(JSON.stringify({ load_begins: Date.now() }));
}

/**
 * In a closed model, the pause of a user between an answer and the next request; none in an open one.
 * @param current the step that is under way; a script that makes thousands of requests a second asks k6 for it only once each
 */
export function think(steps: readonly Step[], current = exec.scenario.name): void {
  const step = steps.find(({ name }) => name === current);
  if (step?.arrivals.model === "closed" && step.arrivals.think_seconds > 0)
    sleep(step.arrivals.think_seconds);
}

/** Seconds after which a client of the step that is under way hangs up, as a request's options take it. */
export function timeout(
  steps: readonly Step[],
  requestSeconds: number,
  current = exec.scenario.name,
): string {
  const step = steps.find(({ name }) => name === current);
  return `${step?.timeout_seconds ?? requestSeconds}s`;
}

function scenario({ begins, seconds, arrivals, timeout_seconds }: Step, otherwise: number): Scenario {
  // A second more than a request may take, so that the last ones can still tell of their time-out.
  const patienceSeconds = timeout_seconds === undefined ? otherwise : timeout_seconds + 1;
  const common = { startTime: `${begins}s`, gracefulStop: `${patienceSeconds}s` };
  if (arrivals.model === "closed") return { ...common, ...closed(arrivals, seconds, patienceSeconds) };
  const { rate } = arrivals;
  const most = Math.max(10, Math.ceil(rate * patienceSeconds));
  // k6 takes whole rates: 2.5/s is 25 in 10 s.
  const whole = Number.isInteger(rate)
    ? { rate, timeUnit: "1s" }
    : { rate: Math.round(rate * 1000), timeUnit: "1000s" };
  return {
    ...common,
    ...whole,
    executor: "constant-arrival-rate",
    duration: `${seconds}s`,
    // An arrival is dropped while k6 makes the user that it needs: so as many stand ready as six seconds of silence take, up
    // to a thousand (0.25 MB each), or one second's at higher rates.
    preAllocatedVUs: Math.min(most, Math.max(10, Math.ceil(Math.min(rate * 6, Math.max(1000, rate))))),
    maxVUs: most,
  };
}

type Closed = Extract<Step["arrivals"], { model: "closed" }>;

function closed({ users, spawn_per_second }: Closed, seconds: number, patienceSeconds: number) {
  if (spawn_per_second === undefined) {
    return { executor: "constant-vus", vus: users, duration: `${seconds}s` } as const;
  }
  const spawning = Math.min(seconds, users / spawn_per_second);
  return {
    executor: "ramping-vus",
    startVUs: 0,
    stages: [
      { target: Math.round(spawning * spawn_per_second), duration: milliseconds(spawning) },
      { target: users, duration: milliseconds(seconds - spawning) },
    ].filter(({ duration }) => duration !== "0ms"),
    // No user is taken away before the end, and at the end each may wait for its answer.
    gracefulRampDown: `${patienceSeconds}s`,
  } as const;
}

/** k6 takes whole milliseconds. */
function milliseconds(seconds: number): string {
  return `${Math.round(seconds * 1000)}ms`;
}
