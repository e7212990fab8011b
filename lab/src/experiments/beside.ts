/** What was measured, line by line, beside what was published and what a model predicts: the table of an experiment. */

import type { Fault } from "./experiment.ts";

/** One line of it. */
export interface Beside {
  /** What it is a figure of, as "20 workers" or "synchronous". */
  readonly of: string;
  /** What was counted: "peak depth". */
  readonly what: string;
  readonly unit: string;
  /** Null where this run has no such figure. */
  readonly measured: number | null;
  /** Where a part of the figure was not measured: how it was come by, as "30 s measured, the rest by the queue model". */
  readonly how?: string;
  /** What a model predicts for this run. */
  readonly model?: number;
  /** Null where nothing was published. */
  readonly published: number | null;
  /** Where the same was published of several environments: by title, "LocalStack". Then `published` is null. */
  readonly publishedBy?: Readonly<Record<string, number>>;
  /** Figures that contradict others of the same run, to be marked: `measured`, or titles of `publishedBy`. */
  readonly doubtful?: readonly string[];
  /** Why the two differ, or what is wrong with the published one. */
  readonly reason?: string;
}

/**
 * The lines of a run to which something was done that is no part of its experiment: neither the study's run nor the model's, so that
 * nothing is beside its figures but the reason.
 */
export function withoutCompany(lines: readonly Beside[], faults: readonly Fault[]): readonly Beside[] {
  if (faults.length === 0) return lines;
  const done = faults.map(({ action, part, atSeconds }) => `${action} ${part} at ${atSeconds} s`).join(", ");
  const reason = `a run with faults (${done}): no model and nothing that was published is of such a run`;
  return lines.map(({ model, published, publishedBy, doubtful, reason: former, ...line }) =>
    model === undefined && published === null && publishedBy === undefined
      ? { ...line, published, ...(doubtful && { doubtful }), ...(former !== undefined && { reason: former }) }
      : { ...line, published: null, reason },
  );
}

/** Cells, the header first. Columns that no line fills are left out. */
export function besideTable(lines: readonly Beside[]): string[][] {
  const modelled = lines.some(({ model }) => model !== undefined);
  const known = lines.some(({ published }) => published !== null);
  const titles = [...new Set(lines.flatMap(({ publishedBy = {} }) => Object.keys(publishedBy)))];
  return [
    [
      "",
      "figure",
      "measured",
      ...(modelled ? ["model", "measured ÷ model"] : []),
      ...(known ? ["published", "measured ÷ published"] : []),
      ...titles.flatMap((title) => [title, `measured ÷ ${title}`]),
    ],
    ...lines.map(({ of, what, unit, measured, how, model, published, publishedBy = {}, doubtful = [] }) => [
      of,
      what,
      measured === null
        ? "–"
        : [told(measured), unit, how === undefined ? "" : "*", doubtful.includes(MEASURED) ? DOUBTFUL : ""]
            .filter((word) => word !== "")
            .join(" "),
      // A figure that the model had a part in does not speak for the model.
      ...(modelled
        ? [model === undefined ? "" : told(model), how === undefined ? ratio(measured, model) : ""]
        : []),
      ...(known ? [published === null ? "" : told(published), ratio(measured, published)] : []),
      ...titles.flatMap((title) => {
        const value = publishedBy[title];
        const mark = doubtful.includes(title) ? ` ${DOUBTFUL}` : "";
        return [value === undefined ? "" : told(value) + mark, ratio(measured, value)];
      }),
    ]),
  ];
}

/** In `doubtful`: the figure that was measured. */
export const MEASURED = "measured";
/** Marks a figure that contradicts others; the notes begin with the same sign. */
const DOUBTFUL = "!";

/** What cells leave no room for: how figures were come by, and reasons, each once. */
export function besideNotes(lines: readonly Beside[]): string[] {
  const how = lines.flatMap(({ of, what, how }) => (how === undefined ? [] : [`* ${of}, ${what}: ${how}`]));
  const reasons = new Map<string, string[]>();
  for (const { of, reason } of lines) {
    if (reason === undefined) continue;
    const rows = reasons.get(reason) ?? [];
    if (!rows.includes(of)) rows.push(of);
    reasons.set(reason, rows);
  }
  return [...how, ...[...reasons].map(([reason, of]) => `! ${of.join(", ")}: ${reason}`)];
}

/** The same cells as a table in Markdown, for a document. */
export function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return rows.flatMap((row, index) =>
    index === 0 ? [line(row), `|${row.map(() => "---").join("|")}|`] : [line(row)],
  );
}

function ratio(measured: number | null, other: number | null | undefined): string {
  if (measured === null || other === null || other === undefined || other === 0) return "";
  return (measured / other).toFixed(2);
}

/** Three digits at least, no more decimals than help. */
function told(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}
