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
  readonly arrivals:
    | { readonly model: "open"; readonly rate: number }
    | { readonly model: "closed"; readonly users: number; readonly think_seconds: number };
}

/** What LOAD holds, or the script's own. */
export function plannedLoad(otherwise: readonly Step[]): readonly Step[] {
  const text = __ENV.LOAD;
  return text ? (JSON.parse(text) as Step[]) : otherwise;
}

/**
 * Scenarios and thresholds for k6's options.
 * @param patienceSeconds the longest an iteration may take. It sets how many virtual users must stand ready, since an
 *   arrival that finds none is dropped and makes the run invalid.
 */
export function scenariosOf(
  steps: readonly Step[],
  patienceSeconds: number,
): Pick<Options, "scenarios" | "thresholds"> {
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

/** In a closed model, the pause of a user between an answer and the next request; none in an open one. */
export function think(steps: readonly Step[]): void {
  const step = steps.find(({ name }) => name === exec.scenario.name);
  if (step?.arrivals.model === "closed" && step.arrivals.think_seconds > 0)
    sleep(step.arrivals.think_seconds);
}

function scenario({ begins, seconds, arrivals }: Step, patienceSeconds: number): Scenario {
  const common = { startTime: `${begins}s`, gracefulStop: `${patienceSeconds}s` };
  if (arrivals.model === "closed") {
    return { ...common, executor: "constant-vus", vus: arrivals.users, duration: `${seconds}s` };
  }
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
