import fc from "fast-check";
import t from "tap";
import { type BreakEvenParameters, breakEven, lambdaUsdPerMonth } from "../../src/models/break-even.ts";
import { readPrices } from "../../src/models/prices.ts";
import { publishedOrdersScaling } from "../../src/published/index.ts";

const prices = readPrices();
const study: BreakEvenParameters = {
  tasks: 2,
  taskVcpu: 0.25,
  taskMemoryGb: 0.5,
  workersPerTask: 20,
  lambdaMemoryGb: 0.5,
  durationSeconds: 3,
  architecture: "x86",
  freeTier: true,
};

t.test("published: 267,000 orders a month cost nothing on Lambda", async (t) => {
  const { cost, lambda, workload } = publishedOrdersScaling();
  const free = breakEven(study, prices).freeOrdersPerMonth;
  t.equal(free, Math.floor(400_000 / (0.5 * 3)));
  t.equal(Math.round(free / 1000) * 1000, cost.lambdaFreeOrdersPerMonth);
  t.equal(
    cost.lambdaGbSecondsPerTenThousandOrders,
    10_000 * (lambda.memoryMb / 1024) * workload.paymentSeconds,
  );
  t.equal(prices.free_tier.lambda_gb_seconds.amount, cost.freeTierGbSeconds);
  t.equal(prices.free_tier.lambda_requests.amount, cost.freeTierRequests);
});

t.test("the break-even, by hand", async (t) => {
  // 18.02005 USD / (1.5 GB-s × 0.0000166667 + 0.0000002) without, 266,666.7 orders and requests for nothing with the free tier.
  t.equal(
    breakEven({ ...study, freeTier: false }, prices).ordersPerMonth,
    Math.floor(18.02005 / 0.00002520005),
  );
  const withFree = Math.floor(400_000 / 1.5 + 18.02005 / (1.5 * 0.0000166667));
  t.ok(Math.abs(breakEven(study, prices).ordersPerMonth - withFree) <= 1);
});

t.test("how many orders the tasks can do at all", async (t) => {
  // 40 workers, 3 s each, 730 hours.
  t.equal(breakEven(study, prices).fargateMostOrdersPerMonth, (40 * 730 * 3600) / 3);
});

t.test("Lambda is no dearer up to it, and dearer above it", async () => {
  const parameters = fc.record({
    tasks: fc.integer({ min: 1, max: 50 }),
    taskVcpu: fc.constantFrom(0.25, 0.5, 1, 2),
    taskMemoryGb: fc.constantFrom(0.5, 1, 2, 4),
    workersPerTask: fc.integer({ min: 1, max: 100 }),
    lambdaMemoryGb: fc.constantFrom(0.125, 0.5, 1, 3),
    durationSeconds: fc.double({ min: 0.001, max: 30, noNaN: true }),
    architecture: fc.constantFrom("x86" as const, "arm" as const),
    freeTier: fc.boolean(),
  });
  fc.assert(
    fc.property(parameters, (given) => {
      const result = breakEven(given, prices);
      const at = (orders: number) => lambdaUsdPerMonth(orders, given, prices);
      return (
        at(result.ordersPerMonth) <= result.fargateUsdPerMonth &&
        at(result.ordersPerMonth + 1) > result.fargateUsdPerMonth &&
        at(result.freeOrdersPerMonth) < 1e-9 &&
        result.freeOrdersPerMonth <= result.ordersPerMonth
      );
    }),
    { seed: 267, numRuns: 300 },
  );
});

t.test("Lambda bills by the millisecond, rounded up", async (t) => {
  const bill = (durationSeconds: number) =>
    breakEven({ ...study, durationSeconds }, prices).lambdaGbSecondsPerOrder;
  t.equal(bill(3), 1.5);
  t.equal(bill(0.0001), 0.0005);
  t.equal(bill(3.0041), 0.5 * 3.005);
});

t.test("parameters that make no sense are named", async (t) => {
  for (const name of [
    "tasks",
    "workersPerTask",
    "taskVcpu",
    "taskMemoryGb",
    "lambdaMemoryGb",
    "durationSeconds",
  ]) {
    t.throws(() => breakEven({ ...study, [name]: 0 }, prices), { message: new RegExp(name) });
  }
});

t.test(
  "what tasks can do is a whole number of orders, also where a third of something is in it",
  async (t) => {
    t.equal(breakEven({ ...study, workersPerTask: 1 }, prices).fargateMostOrdersPerMonth, 1_752_000);
  },
);
