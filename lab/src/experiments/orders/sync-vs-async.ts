/**
 * Orders, synchronous against queued: the same customers pay inside the request, one payment at a time, and then leave their orders in
 * a queue. The published study's own experiment: a closed loop, in which who waits orders nothing.
 *
 * Both doors are counted as its load tool counted them: what was answered or given up within the minute. What was still
 * waiting when it was over is judged, but not counted.
 */

import { simulateSyncLine } from "../../models/sync-line.ts";
import { publishedOrdersScaling } from "../../published/index.ts";
import type { Runtime } from "../../runtimes/runtime.ts";
import type { Beside } from "../beside.ts";
import type {
  Experiment,
  FinishedLoad,
  Observed,
  ObservedPlan,
  ParameterValues,
  ServiceSettings,
} from "../experiment.ts";
import type { RunFigures } from "../figures.ts";
import { settle } from "../settle.ts";
import { decimal } from "./decimal.ts";
import { finishFast } from "./finish-fast.ts";
import { needsWorkers } from "./needs.ts";
import { observeOrders, orderSamples } from "./observe-orders.ts";
import { OrdersApi } from "./orders-api.ts";
import { readDoors, syncFindings } from "./sync-figures.ts";

/**
 * What the study does not say. 20 users / (0.34 s + an answer of some milliseconds) are its 57 to 58 a second; and it has no word of
 * orders that are taken back.
 */
const STUDY = { think: 0.34, abandon: 0, lines: "1" } as const;

export const syncVsAsync: Experiment = {
  system: "orders",
  name: "sync-vs-async",
  summary: "20 users for a minute at each door, 3 s a payment, one at a time: who is served?",
  script: "orders/sync-vs-async.ts",
  parameters: {
    users: { value: 20, meaning: "users at each door", least: 1, most: 500, whole: true },
    seconds: { value: 60, meaning: "seconds at each door", least: 2, most: 600 },
    payment_seconds: { value: 3, meaning: "seconds a payment takes", least: 0.05, most: 60 },
    timeout: { value: 30, meaning: "seconds after which a user hangs up", least: 0.5, most: 300 },
    think: { value: STUDY.think, meaning: "seconds between two queued orders of a user", least: 0, most: 60 },
    abandon: {
      value: STUDY.abandon,
      meaning: "1: who hangs up is taken out of the provider's line, 0: is not, as in the study",
      least: 0,
      most: 1,
      whole: true,
    },
  },
  target: "orders-receiver",
  assertUsable: needsWorkers,
  load: ({ users = 0, seconds = 0, timeout = 0, think = 0 }) => [
    {
      name: "sync",
      kind: "measured",
      arrivals: { model: "closed", users, think_seconds: 0 },
      seconds,
      timeout_seconds: timeout,
    },
    {
      name: "async",
      kind: "measured",
      // All within a second: users who begin together would go on ordering together.
      arrivals: { model: "closed", users, think_seconds: think, spawn_per_second: users },
      seconds,
      timeout_seconds: timeout,
      // Until nobody waits at the other door any more.
      pause_seconds: timeout,
    },
  ],
  services: ({ payment_seconds = 0, abandon = 0 }) => ({
    "orders-payments": { PAYMENT_SECONDS: decimal(payment_seconds), PAYMENT_CONCURRENCY: STUDY.lines },
    "orders-receiver": { SYNC_ABANDON: abandon === 1 ? "drop" : "keep" },
    "orders-processor": { NUM_WORKERS: "20" },
  }),
  // What the queue holds takes hours at this rate, and is no part of the question: see worker-scaling.
  finish: () => finishFast(1),
  settleSeconds: 180,
  samples: orderSamples,
  primaryMetric: () => "async/latency_p50_ms",
  beside: besidePublished,
  readings,
  observe,
};

async function observe(runtime: Runtime, plan: ObservedPlan): Promise<Observed> {
  const base = await observeOrders(runtime);
  const api = OrdersApi.of(runtime);
  const { last_seq: before } = await api.ledgerSummary();
  const syncOrders = async (run: FinishedLoad) => (await readDoors(run.answersFile)).sync.map(({ id }) => id);
  return {
    ...base,
    /** Orders that nobody waits for are settled by the receiver, some seconds later: judged before, they would be open. */
    async judge(run) {
      const ids = await syncOrders(run);
      const drained = async () =>
        [...(await api.findOrders(ids, run.signal)).values()].every(({ status }) => status !== "processing");
      await settle({ drained }, SETTLE_SYNC_SECONDS, run.signal);
      return await base.judge(run);
    },
    async findings({ answersFile }) {
      const doors = await readDoors(answersFile);
      return syncFindings(doors, await api.chargesAfter(before), plan.parameters.seconds ?? 0);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([base[Symbol.asyncDispose](), api[Symbol.asyncDispose]()]);
    },
  };
}

const SETTLE_SYNC_SECONDS = 90;

function besidePublished(
  { findings = {} }: RunFigures,
  values: ParameterValues,
  services: ServiceSettings,
): Beside[] {
  const { users = 0, seconds = 0, payment_seconds = 0, timeout = 0, think, abandon } = values;
  const { sync, async, workload } = publishedOrdersScaling();
  // Both stand for a provider that takes one payment at a time.
  const oneLine = services["orders-payments"]?.PAYMENT_CONCURRENCY === STUDY.lines;
  const same =
    oneLine &&
    users === workload.users &&
    seconds === workload.durationSeconds &&
    payment_seconds === workload.paymentSeconds &&
    timeout === sync.clientTimeoutSeconds &&
    think === STUDY.think &&
    abandon === STUDY.abandon;
  const line = simulateSyncLine({
    users,
    paymentSeconds: payment_seconds,
    timeoutSeconds: timeout,
    seconds,
  });
  const beside = (
    of: "synchronous" | "queued",
    what: string,
    unit: string,
    name: string,
    told: { readonly model?: number; readonly published?: number; readonly reason?: string },
  ): Beside => ({
    of,
    what,
    unit,
    measured: findings[name] ?? null,
    ...(told.model === undefined || !oneLine ? {} : { model: told.model }),
    published: same ? (told.published ?? null) : null,
    ...(same && told.reason ? { reason: told.reason } : {}),
  });
  const share = (failed: number, all: number) => (all === 0 ? 0 : (100 * failed) / all);
  return [
    beside("synchronous", "attempted", "", "sync_attempted", {
      model: line.finished + users,
      published: sync.attempted,
    }),
    beside("synchronous", "finished", "", "sync_finished", {
      model: line.finished,
      published: sync.finishedAsPublished,
      reason: sync.reading,
    }),
    beside("synchronous", "succeeded", "", "sync_succeeded", {
      model: line.succeeded,
      published: sync.impliedSucceeded,
    }),
    beside("synchronous", "failed", "", "sync_failed", { model: line.failed, published: sync.failed }),
    beside("synchronous", "failed of finished", "%", "sync_failed_percent", {
      model: share(line.failed, line.finished),
      published: sync.failedPercentAsPublished,
    }),
    beside("synchronous", "median", "ms", "sync_median_ms", {
      model: line.medianMs,
      published: sync.medianMs,
    }),
    beside("synchronous", "mean", "ms", "sync_mean_ms", { model: line.meanMs, published: sync.meanMs }),
    beside("synchronous", "finished a second", "/s", "sync_per_s", {
      model: line.finished / seconds,
      published: sync.rps,
    }),
    // The model's customers stay in the line when they hang up.
    beside(
      "synchronous",
      "charged after hanging up",
      "",
      "sync_charged_after_hang_up",
      abandon === 0 ? { model: line.chargedAfterHangUp } : {},
    ),
    beside("queued", "finished", "", "async_finished", { published: async.requests }),
    beside("queued", "failed", "", "async_failed", { published: async.failed }),
    beside("queued", "median", "ms", "async_median_ms", { published: async.medianMs }),
    beside("queued", "finished a second", "/s", "async_per_s", { published: async.rps }),
  ];
}

/** The study says 750 times faster, 142 times the throughput, 118 times the orders: each is true of something. */
function readings({ findings = {} }: RunFigures, values: ParameterValues): string[] {
  const of = (name: string) => findings[name] ?? 0;
  const times = (one: number, other: number) =>
    other > 0 ? `${(one / other).toFixed(0)} times` : "no figure for";
  const { abandon = 0 } = values;
  return [
    `At the synchronous door ${of("sync_succeeded")} of ${of("sync_finished")} customers were served; ` +
      `${of("sync_timed_out")} hung up, and ${of("sync_charged_after_hang_up")} orders were charged within the time after their customer had, ${of("sync_charged_after_hang_up_in_the_end")} in the end.`,
    `Queued beside synchronous: the median answer came ${times(of("sync_median_ms"), of("async_median_ms"))} as fast, ` +
      `${times(of("async_per_s"), of("sync_per_s"))} the requests, ${times(of("async_finished"), of("sync_succeeded"))} the orders that were taken. ` +
      "A queued order is not paid when it is answered: the comparison is of answers, not of payments.",
    abandon === 1
      ? "Who hung up was taken out of the provider's line (SYNC_ABANDON=drop)."
      : "Who hung up stayed in the provider's line, as in the study (SYNC_ABANDON=keep); abandon=1 takes them out.",
  ];
}
