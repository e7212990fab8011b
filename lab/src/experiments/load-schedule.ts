/** When each step of a load begins and ends, and how a script is told. */

import type { Arrivals, LoadStep } from "./experiment.ts";

export interface ScheduledStep {
  readonly name: string;
  readonly kind: LoadStep["kind"];
  readonly arrivals: Arrivals;
  readonly seconds: number;
  /** Seconds after the load began. */
  readonly begins: number;
  /** Seconds after which a client hangs up; the script's own patience where it is not told. */
  readonly timeout_seconds?: number | undefined;
}

/**
 * Steps follow each other; one that is marked `beside` begins with the step before it.
 * @throws Error for a load that no script could run: a defect of the experiment
 */
export function schedule(steps: readonly LoadStep[]): readonly ScheduledStep[] {
  const names = new Set<string>();
  const scheduled: ScheduledStep[] = [];
  let ends = 0;
  for (const { name, kind, arrivals, seconds, beside, pause_seconds = 0, timeout_seconds } of steps) {
    if (!/^[a-z0-9][a-z0-9-]*$/.test(name) || names.has(name)) throw new Error(`no name for a step: ${name}`);
    if (!(seconds > 0)) throw new Error(`${name} lasts ${seconds} s`);
    names.add(name);
    const before = scheduled.at(-1);
    const begins = (beside && before ? before.begins : ends) + pause_seconds;
    const patience = timeout_seconds === undefined ? {} : { timeout_seconds };
    scheduled.push({ name, kind, arrivals, seconds, begins, ...patience });
    ends = Math.max(ends, begins + seconds);
  }
  if (!scheduled.some(({ kind }) => kind === "measured")) throw new Error("a load without a measured step");
  return scheduled;
}

/** Seconds from the load's beginning to the end of its last step. */
export function lengthOf(steps: readonly ScheduledStep[]): number {
  return Math.max(...steps.map(({ begins, seconds }) => begins + seconds));
}

/** The names of the steps that are under way, the later one first; empty before and after the load. */
export function stepsAt(steps: readonly ScheduledStep[], elapsed: number): readonly ScheduledStep[] {
  return steps.filter(({ begins, seconds }) => elapsed >= begins && elapsed < begins + seconds).reverse();
}

/** Users of a closed model, on average over its step: those who are yet to come count as none. */
export function meanUsers({ arrivals, seconds }: Pick<ScheduledStep, "arrivals" | "seconds">): number {
  if (arrivals.model === "open") return 0;
  const { users, spawn_per_second = Number.POSITIVE_INFINITY } = arrivals;
  const spawning = Math.min(seconds, users / spawn_per_second);
  const reached = Math.min(users, spawn_per_second * seconds);
  return (spawning * (reached / 2) + (seconds - spawning) * users) / seconds;
}

/** For people: "20/s for 10 s", "100 users for 30 s" or "50 users, who come 10 a second, for 5 s". */
export function describeStep({ arrivals, seconds }: Pick<ScheduledStep, "arrivals" | "seconds">): string {
  if (arrivals.model === "open") return `${arrivals.rate}/s for ${seconds} s`;
  const { users, spawn_per_second: spawn, think_seconds: think } = arrivals;
  const words = [`${users.toLocaleString("en")} users`];
  if (spawn !== undefined) words.push(`who come ${spawn.toLocaleString("en")} a second`);
  if (think > 0) words.push(`thinking ${think} s`);
  const comma = words.length > 1 ? "," : "";
  return `${words.join(", ")}${comma} for ${seconds} s`;
}
