/**
 * Contention, read: requests a second and latencies beside what was published of LocalStack and of AWS, and Little's law held against
 * each, ours included.
 *
 * In a closed loop without pauses, users = rate × mean latency, whatever the system does. Of the study the mean is not known; P50 and P99
 * bound it (see `littlesLawByPercentiles`), and the bound that is nearer is taken.
 */

import { checkPublishedBidding, type PublishedBidding, publishedBidding } from "../../published/index.ts";
import { type Beside, MEASURED } from "../beside.ts";
import type { ParameterValues } from "../experiment.ts";
import type { RunFigures, StepFigures } from "../figures.ts";
import { meanUsers } from "../load-schedule.ts";

const TITLES = { localstack: "LocalStack", aws: "AWS" } as const;
type Environment = keyof typeof TITLES;
const ENVIRONMENTS = Object.keys(TITLES) as readonly Environment[];

export function contentionTable({ steps, findings = {} }: RunFigures, values: ParameterValues): Beside[] {
  const { users = 0 } = values;
  const load = steps.find(({ step }) => step.kind === "measured");
  const published = publishedRow(values);
  const own = load && ownLaw(load);
  const doubtful = [
    ...(own?.broken ? [MEASURED] : []),
    ...ENVIRONMENTS.filter((each) => published?.[each]?.holds === false).map((each) => TITLES[each]),
  ];
  const reasons = [
    ...(own?.broken ? [`as measured here, ${own.broken}`] : []),
    ...ENVIRONMENTS.flatMap((each) => {
      const row = published?.[each];
      return row && !row.holds ? [publishedReason(TITLES[each], users, row)] : [];
    }),
  ];
  const line = (
    what: string,
    unit: string,
    measured: number | undefined,
    of: ((row: PublishedRow) => number) | undefined,
    model?: number,
  ): Beside => ({
    of: `${users.toLocaleString("en")} users`,
    what,
    unit,
    measured: measured ?? null,
    ...(model !== undefined && { model }),
    published: null,
    ...(of && published && { publishedBy: byTitle(published, of) }),
    ...(of && doubtful.length > 0 && { doubtful, reason: reasons.join("; ") }),
  });
  return [
    line("answers", "/s", load?.answered_rate, ({ rate }) => rate),
    line("median", "ms", load?.latency_ms?.p50, ({ p50 }) => p50),
    line("99th percentile", "ms", load?.latency_ms?.p99, ({ p99 }) => p99),
    line("users by Little's law", "", own?.expected, ({ expected }) => expected, own?.users),
    line("accepted", "%", findings.accepted_percent, undefined),
    line("lost updates", "", findings.lost_updates, undefined),
  ];
}

export function readContention({ findings = {}, highest }: RunFigures): string[] {
  const { accepted = 0, refused = 0, unanswered = 0, lost_updates } = findings;
  const told = [
    `${accepted.toLocaleString("en")} bids were accepted and ${refused.toLocaleString("en")} were refused; ` +
      `${unanswered} had no answer in the end. ` +
      (lost_updates === undefined
        ? "Whether an update was lost is not known."
        : lost_updates === 0
          ? "No update was lost."
          : `${lost_updates} updates were LOST.`),
  ];
  if (highest.archive_lag !== undefined)
    told.push(`The archive was ${highest.archive_lag.toLocaleString("en")} bids behind at most.`);
  return told;
}

interface PublishedRow {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  /** Users that rate and percentiles allow, the nearest to those that there were. */
  readonly expected: number;
  readonly holds: boolean;
  readonly impliedMeanSeconds: number;
}

/** Of a run like the study's; another time is another experiment. */
function publishedRow({
  users,
  seconds,
}: ParameterValues): Readonly<Record<Environment, PublishedRow | undefined>> | undefined {
  const published = publishedBidding();
  if (seconds !== published.workload.durationSeconds) return undefined;
  const of = (environment: Environment) => rowOf(published, environment, users);
  return { localstack: of("localstack"), aws: of("aws") };
}

function rowOf(
  published: PublishedBidding,
  environment: Environment,
  users: number | undefined,
): PublishedRow | undefined {
  const rate = published.throughputRps.find((row) => row.users === users)?.[environment];
  const latency = published.latencyMs.find((row) => row.users === users)?.[environment];
  const law = checkPublishedBidding(published).find(
    (row) => row.users === users && row.environment === environment,
  );
  if (rate === undefined || latency === undefined || law === undefined) return undefined;
  const { expected, holds, impliedMeanSeconds } = law;
  return { rate, ...latency, expected, holds, impliedMeanSeconds };
}

function byTitle(
  rows: Readonly<Record<Environment, PublishedRow | undefined>>,
  of: (row: PublishedRow) => number,
): Record<string, number> {
  return Object.fromEntries(
    ENVIRONMENTS.flatMap((each) => {
      const row = rows[each];
      return row ? [[TITLES[each], of(row)]] : [];
    }),
  );
}

/** Undefined without an answer. Whether the law holds is the performance verdict's matter, which allows for users who come and go. */
function ownLaw({ step, latency_ms, answered_rate, performance }: StepFigures) {
  if (!latency_ms) return undefined;
  return {
    expected: (answered_rate * latency_ms.mean) / 1000,
    users: meanUsers(step),
    broken: performance.reasons.find((reason) => reason.startsWith("Little's law")),
  };
}

function publishedReason(title: string, users: number, row: PublishedRow): string {
  const { rate, p50, p99, impliedMeanSeconds } = row;
  return (
    `Little's law: ${title}'s ${users.toLocaleString("en")} users at ${rate.toLocaleString("en")}/s wait ` +
    `${Number((impliedMeanSeconds * 1000).toPrecision(4)).toLocaleString("en")} ms on average, ` +
    `which P50 ${p50} ms and P99 ${p99} ms do not allow`
  );
}
