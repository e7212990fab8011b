/**
 * The published figures as one flat list, so that a comparison or a report can set each of them beside what was measured
 * here: one more side, with its source.
 */
import { publishedBidding } from "./bidding.ts";
import { publishedGeecache } from "./geecache.ts";
import { publishedOrdersScaling } from "./orders-scaling.ts";
import type { PublishedSystem } from "./systems.ts";

export interface PublishedFigure {
  readonly system: PublishedSystem;
  /** The experiment that replays it. */
  readonly experiment: string;
  /** Where it was measured; `unsaid` where the source does not say. */
  readonly environment: "localstack" | "aws" | "unsaid";
  readonly metric: string;
  /** Under what circumstances, as users or workers. */
  readonly conditions: Readonly<Record<string, number | string>>;
  /** One value, or the ends of a published range. */
  readonly value: number | readonly [number, number];
  readonly unit: string;
  /** The document it was published in. */
  readonly source: string;
}

type Row = Omit<PublishedFigure, "system" | "source">;

/**
 * All figures, or those of a system. Of orders on two environments and of bazaar no figures were published.
 * @throws LabError DATA_DAMAGED
 */
export function publishedFigures(
  only: { readonly system?: PublishedSystem | undefined; readonly experiment?: string | undefined } = {},
  directory?: string,
): PublishedFigure[] {
  return [...orders(directory), ...bidding(directory), ...geecache(directory)].filter(
    ({ system, experiment }) =>
      (only.system === undefined || system === only.system) &&
      (only.experiment === undefined || experiment === only.experiment),
  );
}

function orders(directory?: string): PublishedFigure[] {
  const { source, sync, async, workers, lambda, cost } = publishedOrdersScaling(directory);
  const environment = "unsaid";
  const syncOrAsync = (endpoint: string, metric: string, value: number, unit: string): Row => ({
    experiment: "sync-vs-async",
    environment,
    metric,
    conditions: { endpoint },
    value,
    unit,
  });
  const ofLambda = (metric: string, value: number, unit: string): Row => ({
    experiment: "lambda-vs-workers",
    environment: "aws",
    metric,
    conditions: {},
    value,
    unit,
  });
  const rows: Row[] = [
    syncOrAsync("sync", "finished", sync.finishedAsPublished, "orders"),
    syncOrAsync("sync", "failed", sync.failed, "orders"),
    syncOrAsync("sync", "median", sync.medianMs, "ms"),
    syncOrAsync("sync", "mean", sync.meanMs, "ms"),
    syncOrAsync("sync", "throughput", sync.rps, "requests/s"),
    syncOrAsync("async", "requests", async.requests, "requests"),
    syncOrAsync("async", "failed", async.failed, "requests"),
    syncOrAsync("async", "median", async.medianMs, "ms"),
    syncOrAsync("async", "throughput", async.rps, "requests/s"),
    ...workers.flatMap((row) => {
      const conditions = { workers: row.workers };
      const ofRow = (metric: string, value: number, unit: string): Row => ({
        experiment: "worker-scaling",
        environment,
        metric,
        conditions,
        value,
        unit,
      });
      return [
        ofRow("processed", row.ratePerSecond, "orders/s"),
        ofRow("peak queue depth", row.peakQueueDepth, "orders"),
        ofRow("drain", row.drainSeconds, "s"),
      ];
    }),
    ofLambda("cold start: init", lambda.coldInitMs, "ms"),
    ofLambda("cold start: total", lambda.coldTotalMs, "ms"),
    ofLambda("warm start: total", lambda.warmTotalMs, "ms"),
    ofLambda("cold overhead", lambda.coldOverheadPercent, "%"),
    ofLambda("two tasks", cost.ecsTwoTasksUsdPerMonth, "USD/month"),
    ofLambda("orders that Lambda processes free", cost.lambdaFreeOrdersPerMonth, "orders/month"),
  ];
  return rows.map((row) => ({ system: "orders", ...row, source }));
}

function bidding(directory?: string): PublishedFigure[] {
  const { source, throughputRps, latencyMs, deployment } = publishedBidding(directory);
  const experiment = "contention";
  const rows: Row[] = (["localstack", "aws"] as const).flatMap((environment) => [
    ...throughputRps.map(
      ({ users, [environment]: value }): Row => ({
        experiment,
        environment,
        metric: "throughput",
        conditions: { users },
        value,
        unit: "requests/s",
      }),
    ),
    ...latencyMs.flatMap(({ users, [environment]: latency }) =>
      (["p50", "p99"] as const).map(
        (metric): Row => ({
          experiment,
          environment,
          metric,
          conditions: { users },
          value: latency[metric],
          unit: "ms",
        }),
      ),
    ),
    {
      experiment: "cost",
      environment,
      metric: "cost",
      conditions: {},
      value: deployment[environment].costUsdPerMonth,
      unit: "USD/month",
    } satisfies Row,
  ]);
  return rows.map((row) => ({ system: "bidding", ...row, source }));
}

function geecache(directory?: string): PublishedFigure[] {
  const { source, deploySeconds, scaleThreeToFiveSeconds, discoveryMs, networkLatencyMs, costUsd } =
    publishedGeecache(directory);
  const row = (
    experiment: string,
    environment: "localstack" | "aws",
    metric: string,
    value: Row["value"],
    unit: string,
  ): Row => ({ experiment, environment, metric, conditions: {}, value, unit });
  const rows: Row[] = [
    row("deploy-time", "localstack", "deployment", deploySeconds.localstack.total, "s"),
    row("deploy-time", "aws", "deployment", deploySeconds.aws.total, "s"),
    row("scale-out", "localstack", "3 to 5 nodes", scaleThreeToFiveSeconds.localstack.total, "s"),
    row("scale-out", "aws", "3 to 5 nodes", scaleThreeToFiveSeconds.aws.total, "s"),
    row("discovery", "localstack", "discovery, mean", discoveryMs.localstackMean, "ms"),
    row("discovery", "aws", "discovery (an estimate)", discoveryMs.awsEcsApi, "ms"),
    row("network-latency", "localstack", "network latency", networkLatencyMs.localstack, "ms"),
    row("network-latency", "aws", "network latency", networkLatencyMs.aws, "ms"),
    row("cost", "aws", "cost", costUsd.awsPerHour, "USD/hour"),
    row("cost", "aws", "cost, 8 hours a day", costUsd.perDayEightHours, "USD/day"),
    row("cost", "aws", "cost, 7 such days", costUsd.perWeekEightHourDays, "USD/week"),
    row("cost", "aws", "cost, without a pause", costUsd.perMonthContinuous, "USD/month"),
    row("cost", "aws", "cost, without a pause", costUsd.perSemesterFourMonths, "USD/semester"),
  ];
  return rows.map((figure) => ({ system: "geecache", ...figure, source }));
}
