/** The published comparison of a distributed cache on LocalStack and on AWS: deployment, discovery, scaling, cost. */
import { z } from "zod";
import { readPublished } from "./read-published.ts";

const range = z.tuple([z.number(), z.number()]);
const seconds = z.number();

const schema = z.strictObject({
  system: z.literal("geecache"),
  source: z.string(),
  measuredOn: z.iso.date(),
  deploySeconds: z.strictObject({
    localstack: z.strictObject({ total: seconds, start: seconds, deployTasks: seconds, stabilise: seconds }),
    aws: z.strictObject({
      total: seconds,
      terraformApply: seconds,
      ecrPush: seconds,
      taskProvisioning: seconds,
      healthChecks: seconds,
    }),
  }),
  discoveryMs: z.strictObject({
    localstackCloudMap: z.array(z.number()).min(1),
    localstackMean: z.number(),
    awsEcsApi: range,
    awsCloudMapExpected: range,
    awsEcsApiIsEstimate: z.boolean(),
  }),
  scaleThreeToFiveSeconds: z.strictObject({
    localstack: z.strictObject({ total: seconds }),
    aws: z.strictObject({
      total: seconds,
      serviceUpdate: seconds,
      scheduling: seconds,
      imagePull: seconds,
      startup: seconds,
      healthCheck: seconds,
    }),
  }),
  runningTasks: z.strictObject({ desired: z.int(), localstack: z.int(), aws: z.int(), awsMeans: z.string() }),
  logStreams: z.strictObject({
    localstack: z.int(),
    aws: z.int(),
    awsCacheNodes: z.int(),
    awsApiServer: z.int(),
    awsSystem: z.int(),
  }),
  containerInsightsMetrics: z.strictObject({ localstack: z.int(), aws: z.int() }),
  networkLatencyMs: z.strictObject({ localstack: range, aws: range }),
  singleflight: z.strictObject({ concurrentRequests: z.int(), databaseQueries: z.int() }),
  costUsd: z.strictObject({
    awsPerHour: z.number(),
    perDayEightHours: z.number(),
    perWeekEightHourDays: z.number(),
    perMonthContinuous: z.number(),
    perSemesterFourMonths: z.number(),
    perWeekValidation: z.number(),
    preProduction: range,
    finalDemonstration: z.number(),
    perDayLeftOn: z.number(),
  }),
  iterations: z.strictObject({
    count: z.int(),
    localstackSeconds: seconds,
    awsSeconds: seconds,
    awsCostUsd: z.number(),
  }),
  awsDeployMinutesElsewherePublished: range,
  localstackTaskLimitPublished: z.int(),
  containerInsights: z.array(z.string()).min(1),
  contradictions: z.array(z.string()).min(1),
});

export type PublishedGeecache = z.output<typeof schema>;

/** @throws LabError DATA_DAMAGED */
export function publishedGeecache(directory?: string): PublishedGeecache {
  return readPublished("geecache.json", schema, directory);
}
