/**
 * A verdict on a run: one outcome for each invariant, and of these the worst for the run.
 *
 * - held: checked on real work, and true.
 * - broken: a counterexample was seen.
 * - undecided: not enough was seen to tell; no work at all is undecided, never held.
 */

export type Outcome = "held" | "broken" | "undecided";

export interface Invariant {
  /** A short name, such as `accepted-orders-are-settled`. */
  readonly name: string;
  readonly outcome: Outcome;
  /** One sentence for people: what was compared with what, and what came out. */
  readonly detail: string;
  readonly counts: Readonly<Record<string, number>>;
  /** A few of the things that break it, to look for in logs. */
  readonly examples?: readonly string[];
}

/** What was seen and is told, but breaks nothing. */
export interface Observation {
  readonly name: string;
  readonly detail: string;
  readonly counts: Readonly<Record<string, number>>;
}

export interface Verdict {
  readonly outcome: Outcome;
  readonly invariants: readonly Invariant[];
  readonly observations: readonly Observation[];
}

const SHOWN_EXAMPLES = 10;

/** Broken if any is broken, else undecided if any is undecided or there is none, else held. */
export function verdictOf(
  invariants: readonly Invariant[],
  observations: readonly Observation[] = [],
): Verdict {
  const outcomes = new Set(invariants.map(({ outcome }) => outcome));
  const outcome = outcomes.has("broken")
    ? "broken"
    : outcomes.has("undecided") || outcomes.size === 0
      ? "undecided"
      : "held";
  return { outcome, invariants, observations };
}

/** An invariant of the form "none of these": broken by each of `offenders`, undecided when `checked` is 0. */
export function noneOf(
  name: string,
  offenders: readonly string[],
  told: {
    readonly checked: number;
    readonly counts?: Readonly<Record<string, number>>;
    readonly detail: string;
  },
): Invariant {
  const counts = { checked: told.checked, offending: offenders.length, ...told.counts };
  if (offenders.length > 0) {
    return {
      name,
      outcome: "broken",
      detail: told.detail,
      counts,
      examples: offenders.slice(0, SHOWN_EXAMPLES),
    };
  }
  if (told.checked === 0)
    return { name, outcome: "undecided", detail: `${told.detail} Nothing was there to check.`, counts };
  return { name, outcome: "held", detail: told.detail, counts };
}
