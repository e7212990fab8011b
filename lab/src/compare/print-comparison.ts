/** A comparison, for people: the headline, what differs besides, a table, and how far it may be trusted. */
import type { Output } from "../cli/output.ts";
import type { AboutDifference, Comparison, FailedRequests, MetricComparison } from "./compare-sets.ts";
import { type Call, isSlight, LEAST_RUNS } from "./metrics.ts";
import { type Effect, noEffect } from "./ratio-interval.ts";

const COLOURS = {
  better: "green",
  worse: "red",
  differs: "yellow",
  "no difference shown": "dim",
  "too few runs": "yellow",
} as const satisfies Record<Call, string>;

const MOST_NAMES = 8;

export function printComparison(comparison: Comparison, output: Output): void {
  const { a, b, metrics } = comparison;
  output.line();
  output.line(`${a.name}: ${runs(a.runs.length)}`);
  output.line(`${b.name}: ${runs(b.runs.length)}`);
  printDifferences(comparison, output);
  output.line();
  printHeadline(comparison, output);
  if (metrics.length > 0) {
    output.line();
    output.table([
      ["metric", "A median", "B median", "B/A", `${percent(comparison.level)} interval`, "call"],
      ...metrics.filter((metric) => !isZero(metric)).map(row),
    ]);
    output.line();
    printNotes(comparison, output);
  }
}

/** One line: what the primary metric says. */
export function headlineText({ headline, primary, level }: Comparison): string {
  if (headline === null) return `${primary}: nothing can be said, since not both sides have it`;
  const { name, call, effect, a, b } = headline;
  const said = { differs: "differs in B", better: "better in B", worse: "worse in B" } as const;
  const words = call in said ? said[call as keyof typeof said] : call;
  const amount =
    effect.scale === "ratio"
      ? `B is ${ratioText(effect.estimate)} times A`
      : `B is A ${differenceText(effect.estimate)}`;
  return (
    `${name}: ${words}. ${amount}, ${percent(level)} interval ${intervalText(effect)} ` +
    `(p ${effect.p.toPrecision(2)}, ${a.values.length} against ${b.values.length} runs)`
  );
}

function printHeadline(comparison: Comparison, output: Output): void {
  const { headline, metrics, primary } = comparison;
  output.line(output.paint(headline ? COLOURS[headline.call] : "yellow", headlineText(comparison)));
  printFailures(comparison, output);
  if (headline?.call === "no difference shown")
    output.line("  Not the same as no difference: whatever lies in the interval may be so.");
  if (headline?.call === "too few runs")
    output.line(`  A claim takes ${LEAST_RUNS} runs a side that can be used, made in turn (A B A B).`);
  if (headline !== null) return;
  // Runs of several steps have no figure for all of them; to pick one after a look at the results would be fishing.
  const alike = metrics.map(({ name }) => name).filter((name) => name.endsWith(`/${primary}`));
  const choices = alike.length > 0 ? alike : metrics.map(({ name }) => name);
  if (choices.length > 0) output.line(`  Name one that both have as the primary metric: ${some(choices)}.`);
}

function printFailures({ failures }: Comparison, output: Output): void {
  if (failures.length === 0) return;
  for (const failed of failures.slice(0, MOST_NAMES)) output.line(`  ! ${failuresText(failed)}`);
  if (failures.length > MOST_NAMES) output.line(`  ! and in ${failures.length - MOST_NAMES} more steps`);
  output.line("    Failed requests are among the latencies: quick errors make them look better.");
}

/** "r200: 3.2 % of B's requests failed (A: 0 %)" */
function failuresText({ metric, a, b }: FailedRequests): string {
  const step = metric.slice(0, -"error_share".length).replace("/", ": ");
  const share = (value: number | null) => (value === null ? "not run" : percent(value));
  const [worse, other] = (a ?? 0) > (b ?? 0) ? (["A", "B"] as const) : (["B", "A"] as const);
  const of = { A: a, B: b };
  return `${step}${share(of[worse])} of ${worse}'s requests failed (${other}: ${share(of[other])})`;
}

function printDifferences({ differences, inTurns }: Comparison, output: Output): void {
  const between = differences.filter(({ kind }) => kind === "between");
  const within = differences.filter(({ kind }) => kind === "within");
  if (between.length > 0) {
    output.line("Differs between A and B:");
    for (const difference of between) output.line(`  ${differenceLine(difference)}`);
  }
  if (between.length > 1)
    output.line(`  ! ${between.length} things differ: a ratio tells the effect of all of them together.`);
  if (within.length > 0) {
    output.line("Differs among the runs of one side:");
    for (const difference of within) output.line(`  ${differenceLine(difference)}`);
    output.line(
      "  ! These runs are not repeats of one thing; what they differ in is part of every figure below.",
    );
  }
  if (differences.length === 0)
    output.line(
      "Nothing that is recorded differs between A and B: a difference would be chance, or not recorded.",
    );
  if (inTurns === false)
    output.line(
      "! One side was made after the other, not in turns: what changed meanwhile is part of each ratio.",
    );
}

function differenceLine({ what, a, b }: AboutDifference): string {
  return `${what}: ${a.join(" and ")} → ${b.join(" and ")}`;
}

/** In every run: nothing to read in a line of its own. */
function isZero({ a, b }: MetricComparison): boolean {
  return [...a.values, ...b.values].every((value) => value === 0);
}

function row({ name, unit, a, b, effect, call }: MetricComparison): string[] {
  const shown = (value: number) => (unit === "" ? numberText(value) : `${numberText(value)} ${unit}`);
  const { estimate, scale } = effect;
  const amount = scale === "ratio" ? ratioText(estimate) : `${differenceText(estimate)} *`;
  return [name, shown(a.median), shown(b.median), amount, intervalText(effect), call];
}

function printNotes(comparison: Comparison, output: Output): void {
  const { metrics, headline, level, expectedFalseCalls, onlyA, onlyB } = comparison;
  const others = metrics.filter((metric) => metric !== headline && metric.call !== "too few runs").length;
  output.line(
    "B/A is the ratio of the geometric means of the runs; the interval is over runs, not over requests.",
  );
  if (metrics.some(({ effect }) => effect.scale === "difference"))
    output.line("* the difference of the means, B less A: there is no ratio where a value is 0.");
  if (metrics.some(({ effect }) => !effect.exact))
    output.line(
      "The runs are too many to try every split of them: p and interval rest on 20,000 random ones.",
    );
  if (others > 0) {
    const which =
      others === 1 ? "The other metric" : `Each of the ${headline ? "other " : ""}${others} metrics`;
    const expected = `${numberText(expectedFalseCalls)} false calls are to be expected`;
    output.line(`${which} is judged at ${percent(level)} by itself: where nothing differs, ${expected}.`);
  }
  const slight = metrics.filter(({ effect }) => isSlight(effect)).length;
  if (slight > 0)
    output.line(
      `Differences that may be of less than 1 % are not called: ${slight} of these intervals leave out 1, and not 1.01.`,
    );
  const zero = metrics.filter(isZero);
  if (zero.length > 0) output.line(`0 in every run: ${zero.map(({ name }) => name).join(", ")}.`);
  const missing = metrics.filter(({ a, b }) => a.missing + b.missing > 0);
  if (missing.length > 0)
    output.line(`Not every run has a value of ${missing.map(({ name }) => name).join(", ")}.`);
  if (onlyA.length > 0) output.line(`Only A has ${some(onlyA)}.`);
  if (onlyB.length > 0) output.line(`Only B has ${some(onlyB)}.`);
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(", ");
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

export function intervalText({ scale, lower, upper }: Effect): string {
  const none = noEffect(scale);
  const bound = (value: number) =>
    apartFrom(none, value, scale === "ratio" ? ratioText : (at, digits) => differenceText(at, digits));
  if (lower !== null && upper !== null) return `${bound(lower)} to ${bound(upper)}`;
  if (lower !== null) return `${bound(lower)} or more`;
  if (upper !== null) return `${bound(upper)} or less`;
  return "not bounded";
}

/** As many digits as it takes that a bound does not read as "no difference" when it is not. */
function apartFrom(none: number, value: number, text: (value: number, digits: number) => string): string {
  for (let digits = 4; digits < 12; digits += 1) {
    const shown = text(value, digits);
    if (value === none || Number(shown) !== none) return shown;
  }
  return text(value, 12);
}

function ratioText(value: number, digits = 4): string {
  return Number(value.toPrecision(digits)) === 1 ? value.toFixed(digits - 1) : value.toPrecision(digits);
}

function differenceText(value: number, digits = 4): string {
  const text = String(Number(value.toPrecision(digits)));
  return value > 0 ? `+${text}` : text.replace("-", "−");
}

function numberText(value: number): string {
  return String(Math.abs(value) < 1000 ? Number(value.toPrecision(4)) : Math.round(value));
}

function percent(level: number): string {
  return `${numberText(level * 100)} %`;
}

function runs(count: number): string {
  return count === 1 ? "1 run" : `${count} runs`;
}
