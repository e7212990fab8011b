/**
 * Orders, Lambda instead of workers: what an order waits when its function has no warm environment, and what either costs a month.
 * The published study's own experiment: five orders that each meet a new environment, then five that meet a warm one, one at a
 * time. A new one is had by changing the function's configuration, which takes a second and not the study's 5 to 10 idle minutes.
 */

import { lambdaClient, logsClient } from "../../lambda/clients.ts";
import { makeColdStarts } from "../../lambda/cold-starts.ts";
import { lambdaFigures } from "../../lambda/figures.ts";
import { readInvocations } from "../../lambda/invocations.ts";
import { ORDERS_FUNCTION } from "../../lambda/orders-function.ts";
import { type BreakEvenParameters, breakEven } from "../../models/break-even.ts";
import { readPrices } from "../../models/prices.ts";
import { publishedOrdersScaling } from "../../published/index.ts";
import type { Runtime } from "../../runtimes/runtime.ts";
import { brokerAccess } from "../../systems/orders/order-queue.ts";
import type { Beside } from "../beside.ts";
import type { Experiment, Observed, ObservedPlan, ParameterValues, Sample } from "../experiment.ts";
import type { RunFigures } from "../figures.ts";
import { decimal } from "./decimal.ts";
import { needsFunction } from "./needs.ts";
import { observeOrders, orderSamples } from "./observe-orders.ts";

const samples = [
  ...orderSamples,
  { name: "invocations", meaning: "invocations of the function that have ended", cumulative: true },
] as const satisfies readonly Sample[];

/** Seconds between the end of a cold order and the next one: a new environment has to be possible by then. */
const RENEWAL_SECONDS = 4;
/** The same for a warm one: what is still in hand then makes the next one meet a new environment. */
const BREATH_SECONDS = 3;
/** As the study has them: two tasks of the smallest size, twenty workers each. */
const TASKS = { tasks: 2, taskVcpu: 0.25, taskMemoryGb: 0.5, workersPerTask: 20 } as const;

export const lambdaVsWorkers: Experiment = {
  system: "orders",
  name: "lambda-vs-workers",
  summary:
    "5 orders to a cold function, then 5 to a warm one: what does a cold start add, and who is cheaper?",
  script: "orders/place-orders.ts",
  parameters: {
    orders: { value: 5, meaning: "cold orders, and as many warm ones", least: 1, most: 50, whole: true },
    payment_seconds: { value: 3, meaning: "seconds a payment takes", least: 0, most: 7 },
  },
  target: "orders-receiver",
  load: ({ orders = 0, payment_seconds = 0 }) => [
    { name: "cold", kind: "measured", ...oneByOne(orders, payment_seconds + RENEWAL_SECONDS) },
    { name: "warm", kind: "measured", ...oneByOne(orders, payment_seconds + BREATH_SECONDS) },
  ],
  services: ({ payment_seconds = 0 }) => ({
    "orders-payments": { PAYMENT_SECONDS: decimal(payment_seconds), PAYMENT_CONCURRENCY: "0" },
  }),
  settleSeconds: 60,
  samples,
  primaryMetric: () => "overhead_percent",
  assertUsable: needsFunction,
  beside: besidePublished,
  readings,
  observe,
};

/** One customer, who orders, waits so long, and orders again; what answers take lets no order more begin before the end. */
function oneByOne(orders: number, thinkSeconds: number) {
  return {
    arrivals: { model: "closed", users: 1, think_seconds: thinkSeconds },
    seconds: orders * thinkSeconds,
  } as const;
}

async function observe(runtime: Runtime, { parameters, tell }: ObservedPlan): Promise<Observed> {
  const { orders = 0 } = parameters;
  const access = await brokerAccess(runtime);
  if (access.kind !== "sns-sqs") throw new Error("A function behind BullMQ is refused by the settings");
  const base = await observeOrders(runtime);
  const [client, logs] = [lambdaClient(access), logsClient(access)];
  const since = Date.now();
  const invocations = () => readInvocations(logs, ORDERS_FUNCTION.name, { since });
  const count = async () => (await invocations()).length;
  const cold = await makeColdStarts({
    client,
    functionName: ORDERS_FUNCTION.name,
    orders,
    invocations: count,
    ...(tell && { onLeftover: tell }),
  });
  return {
    ...base,
    async sample() {
      const [row, ended] = await Promise.all([base.sample(), count()]);
      return { ...row, invocations: ended };
    },
    async findings() {
      const figures = lambdaFigures(await invocations());
      const numbers = {
        cold_orders: figures.cold.count,
        warm_orders: figures.warm.count,
        failed_invocations: figures.failed,
        init_ms: figures.init_ms,
        own_init_ms: figures.own_init_ms,
        cold_total_ms: figures.cold.total_ms,
        warm_total_ms: figures.warm.total_ms,
        overhead_percent: figures.overhead_percent,
        memory_mb: figures.memory_mb,
        max_memory_mb: figures.max_memory_mb,
        cold_start_trouble: cold.trouble === undefined ? null : 1,
      };
      const known = Object.entries(numbers).filter(([, value]) => value !== null);
      return Object.fromEntries(known) as Record<string, number>;
    },
    async [Symbol.asyncDispose]() {
      await cold[Symbol.asyncDispose]();
      client.destroy();
      logs.destroy();
      await base[Symbol.asyncDispose]();
    },
  };
}

function besidePublished({ findings = {} }: RunFigures, values: ParameterValues): Beside[] {
  const { lambda, cost, workload } = publishedOrdersScaling();
  const own = values.payment_seconds === workload.paymentSeconds;
  const line = (
    of: string,
    what: string,
    unit: string,
    figures: {
      readonly measured: number | undefined;
      readonly published?: number;
      readonly model?: number;
      readonly how?: string;
    },
    reason?: string,
  ): Beside => ({
    of,
    what,
    unit,
    measured: figures.measured ?? null,
    ...(figures.how !== undefined && { how: figures.how }),
    ...(figures.model !== undefined && { model: figures.model }),
    published: figures.published ?? null,
    ...(reason !== undefined && { reason }),
  });
  const totals = (published: number) => (own ? { published } : {});
  const { free, fargateUsdPerMonth } = costs(values, findings.warm_total_ms);
  return [
    line(
      "cold start",
      "init, by REPORT lines",
      "ms",
      { measured: findings.init_ms, published: lambda.coldInitMs },
      findings.init_ms === undefined
        ? "the emulator's REPORT lines have no Init Duration; their Duration contains it"
        : undefined,
    ),
    line(
      "cold start",
      "init, by the function's clock",
      "ms",
      { measured: findings.own_init_ms, published: lambda.coldInitMs },
      "from the start of its process until it is ready; AWS counts the making of the environment too",
    ),
    line("cold", "total, median", "ms", { measured: findings.cold_total_ms, ...totals(lambda.coldTotalMs) }),
    line("warm", "total, median", "ms", { measured: findings.warm_total_ms, ...totals(lambda.warmTotalMs) }),
    line(
      "cold start",
      "overhead",
      "%",
      { measured: findings.overhead_percent, ...totals(lambda.coldOverheadPercent) },
      own ? "published as 68 of 3,072 ms; of the warm 3,004 ms, as here, it is 2.3 %" : undefined,
    ),
    line("Lambda", "orders a month that cost nothing", "", {
      measured: free.measured,
      ...(free.measured !== undefined && {
        how: "computed, of the free tier and the warm orders' median time",
      }),
      model: free.model,
      ...totals(cost.lambdaFreeOrdersPerMonth),
    }),
    line("workers", "two Fargate tasks, a month", "USD", {
      measured: undefined,
      model: fargateUsdPerMonth,
      published: cost.ecsTwoTasksUsdPerMonth,
    }),
  ];
}

/** By list prices; `measured` at the time that a warm order really took, `model` at what a payment takes. */
function costs({ payment_seconds = 0 }: ParameterValues, warmMs: number | undefined) {
  const prices = readPrices();
  const parameters = (durationSeconds: number): BreakEvenParameters => ({
    ...TASKS,
    lambdaMemoryGb: ORDERS_FUNCTION.memoryMb / 1024,
    durationSeconds,
    architecture: "x86",
    freeTier: true,
  });
  // A payment of no time costs a millisecond at least.
  const model = breakEven(parameters(Math.max(0.001, payment_seconds)), prices);
  const measured =
    warmMs === undefined ? undefined : breakEven(parameters(Math.max(1, warmMs) / 1000), prices);
  return {
    free: { model: model.freeOrdersPerMonth, measured: measured?.freeOrdersPerMonth },
    fargateUsdPerMonth: model.fargateUsdPerMonth,
    breakEvenOrders: (measured ?? model).ordersPerMonth,
    tasksMostOrders: (measured ?? model).fargateMostOrdersPerMonth,
  };
}

function readings({ findings = {} }: RunFigures, values: ParameterValues): string[] {
  const told: string[] = [];
  const { orders = 0 } = values;
  const { cold_orders = 0, warm_orders = 0, own_init_ms, cold_total_ms, warm_total_ms } = findings;
  if (cold_orders !== orders || warm_orders !== orders) {
    told.push(
      `${cold_orders} orders met a new environment and ${warm_orders} a warm one, of ${orders} each: the medians are of those.` +
        (findings.cold_start_trouble ? " Some environments could not be ended in time." : ""),
    );
  }
  if (findings.init_ms === undefined) {
    told.push(
      "The emulator's REPORT lines do not tell an Init Duration, and their Duration contains the making of the environment." +
        (own_init_ms === undefined
          ? ""
          : ` By its own clock the function was ready ${own_init_ms.toFixed(0)} ms after its process began.`),
    );
  }
  if (cold_total_ms !== undefined && warm_total_ms !== undefined) {
    told.push(
      `A cold start added ${(cold_total_ms - warm_total_ms).toFixed(0)} ms to an order of ${warm_total_ms.toFixed(0)} ms, on this machine and its emulator.`,
    );
  }
  const { free, breakEvenOrders, fargateUsdPerMonth, tasksMostOrders } = costs(values, warm_total_ms);
  const [freeOrders, even, most] = [free.measured ?? free.model, breakEvenOrders, tasksMostOrders].map(
    (number) => number.toLocaleString("en"),
  );
  told.push(
    `By list prices two tasks cost ${fargateUsdPerMonth.toFixed(2)} USD a month whatever they do; Lambda costs nothing up to ${freeOrders} orders ` +
      `a month and as much as the tasks at ${even}, of the ${most} that the tasks could do. SNS, SQS and the database are not in it.`,
  );
  return told;
}
