/** The published comparison of an auction on LocalStack and on AWS: a closed loop of users without think time. */
import { z } from "zod";
import { littlesLawByPercentiles, type PercentileCheck } from "../models/littles-law.ts";
import { readPublished } from "./read-published.ts";

const range = z.tuple([z.number(), z.number()]);
const percentiles = z.strictObject({ p50: z.number(), p99: z.number() });
const integrity = z.strictObject({ requests: z.int(), failures: z.int() });

const schema = z.strictObject({
  system: z.literal("bidding"),
  source: z.string(),
  measuredOn: z.iso.date(),
  workload: z.strictObject({
    tool: z.string(),
    durationSeconds: z.number(),
    users: z.array(z.int()).min(1),
    contention: z.string(),
  }),
  deployment: z.strictObject({
    localstack: z.strictObject({ gateways: z.int(), network: z.string(), costUsdPerMonth: z.number() }),
    aws: z.strictObject({
      gateways: z.int(),
      gatewayVcpu: z.number(),
      gatewayMemoryGiB: z.number(),
      redis: z.string(),
      postgres: z.string(),
      region: z.string(),
      availabilityZones: z.int(),
      networkRoundTripMs: range,
      addedBaselineMs: range,
      costUsdPerMonth: z.number(),
    }),
  }),
  throughputRps: z.array(z.strictObject({ users: z.int(), localstack: z.number(), aws: z.number() })).min(1),
  latencyMs: z.array(z.strictObject({ users: z.int(), localstack: percentiles, aws: percentiles })).min(1),
  integrity: z.strictObject({ localstack: integrity, aws: integrity }),
  utilisation: z.strictObject({
    aws: z.strictObject({
      gatewayCpuPercentOfQuota: z.number(),
      redisCpuPercent: z.number(),
      cacheHitPercent: z.number(),
    }),
    localstack: z.strictObject({ redisCpuPercentBelow: z.number(), clientCpuPercentAbove: z.number() }),
  }),
  contradictions: z.array(z.string()).min(1),
});

export type PublishedBidding = z.output<typeof schema>;

/** @throws LabError DATA_DAMAGED */
export function publishedBidding(directory?: string): PublishedBidding {
  return readPublished("bidding.json", schema, directory);
}

export interface PublishedBiddingCheck extends PercentileCheck {
  readonly environment: "localstack" | "aws";
  readonly users: number;
}

/** Little's law held against each row; the users of the published loop do not think between requests. */
export function checkPublishedBidding({
  throughputRps,
  latencyMs,
}: PublishedBidding): PublishedBiddingCheck[] {
  return (["localstack", "aws"] as const).flatMap((environment) =>
    throughputRps.flatMap(({ users, [environment]: rate }) => {
      const latency = latencyMs.find((row) => row.users === users)?.[environment];
      if (latency === undefined) return [];
      const check = littlesLawByPercentiles({
        users,
        rate,
        p50Seconds: latency.p50 / 1000,
        p99Seconds: latency.p99 / 1000,
        thinkSeconds: 0,
      });
      return [{ environment, users, ...check }];
    }),
  );
}
