/**
 * The published study of synchronous, queued and serverless order processing: its figures as they were published,
 * contradictions included. Where they contradict themselves: `contradictions`, `sync.reading`.
 */
import { z } from "zod";
import { readPublished } from "./read-published.ts";

const range = z.tuple([z.number(), z.number()]);

const schema = z.strictObject({
  system: z.literal("orders"),
  source: z.string(),
  workload: z.strictObject({
    tool: z.string(),
    users: z.int(),
    durationSeconds: z.number(),
    arrivalsPerSecond: z.number(),
    paymentSeconds: z.number(),
    flashSaleDemandPerSecond: z.number(),
  }),
  sync: z.strictObject({
    attempted: z.int(),
    finishedAsPublished: z.int(),
    failed: z.int(),
    failedPercentAsPublished: z.number(),
    medianMs: z.number(),
    meanMs: z.number(),
    rps: z.number(),
    clientTimeoutSeconds: z.number(),
    /** How many of the finished ones can have succeeded. */
    impliedSucceeded: z.int(),
    reading: z.string(),
  }),
  async: z.strictObject({
    requests: z.int(),
    failed: z.int(),
    medianMs: z.number(),
    rps: z.number(),
    alsoPublishedMs: z.strictObject({ single: z.number(), improvement: z.array(z.string()) }),
  }),
  workers: z
    .array(
      z.strictObject({
        workers: z.int(),
        failed: z.int(),
        medianMs: z.number(),
        /** Orders done a second. */
        ratePerSecond: z.number(),
        peakQueueDepth: z.int(),
        drainSeconds: z.number(),
        requests: z.int(),
      }),
    )
    .min(1),
  lambda: z.strictObject({
    memoryMb: z.int(),
    timeoutSeconds: z.number(),
    coldInitMs: z.number(),
    coldTotalMs: z.number(),
    warmTotalMs: z.number(),
    coldOverheadPercent: z.number(),
    idleBeforeColdMinutes: range,
    coldOverheadMsAlsoPublishedAs: z.number(),
  }),
  cost: z.strictObject({
    ecsTwoTasksUsdPerMonth: z.number(),
    lambdaFreeOrdersPerMonth: z.int(),
    lambdaGbSecondsPerTenThousandOrders: z.number(),
    freeTierRequests: z.int(),
    freeTierGbSeconds: z.int(),
    savingsUsdPerYear: z.number(),
  }),
  workersNeeded: z.strictObject({
    perSecond6: z.int(),
    recommended: z.int(),
    perSecond58: z.int(),
    perSecond60: z.int(),
    lostPerSecondAt60: z.number(),
  }),
  contradictions: z.array(z.string()).min(1),
});

export type PublishedOrdersScaling = z.output<typeof schema>;

/** @throws LabError DATA_DAMAGED */
export function publishedOrdersScaling(directory?: string): PublishedOrdersScaling {
  return readPublished("orders-scaling.json", schema, directory);
}
