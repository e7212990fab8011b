/**
 * Workers on Fargate or functions on Lambda: tasks cost the same whatever they do, a function costs per order. Below the
 * break-even Lambda is cheaper, above it Fargate, as long as the tasks can do that many orders at all.
 */
import { type Prices, unverified } from "./prices.ts";
import { hourlyCost, hoursPerMonth, meterCost } from "./service-prices.ts";

export interface BreakEvenParameters {
  /** Fargate tasks that Lambda replaces, a whole number from 1. */
  readonly tasks: number;
  /** Of each task; 1 is 1024 CPU units. */
  readonly taskVcpu: number;
  readonly taskMemoryGb: number;
  /** Workers in each task, each on one order at a time. */
  readonly workersPerTask: number;
  readonly lambdaMemoryGb: number;
  /** How long an order takes, in a worker as in a function; Lambda bills it rounded up to a millisecond. */
  readonly durationSeconds: number;
  readonly architecture: "x86" | "arm";
  /** Whether Lambda's monthly allowance is taken off. */
  readonly freeTier: boolean;
}

export interface BreakEven {
  readonly fargateUsdPerMonth: number;
  readonly lambdaGbSecondsPerOrder: number;
  /** Beyond the free tier. */
  readonly lambdaUsdPerMillionOrders: number;
  /** Orders a month for which Lambda takes nothing; 0 without the free tier. */
  readonly freeOrdersPerMonth: number;
  /** The most orders a month for which Lambda costs no more than the tasks. */
  readonly ordersPerMonth: number;
  /** The most orders a month that the tasks' workers can do. A break-even above it is never reached with these tasks. */
  readonly fargateMostOrdersPerMonth: number;
  readonly unverifiedPrices: readonly string[];
}

/** @throws RangeError that names the parameter */
export function breakEven(parameters: BreakEvenParameters, prices: Prices): BreakEven {
  check(parameters);
  const { tasks, taskVcpu, taskMemoryGb, workersPerTask, durationSeconds, architecture, freeTier } =
    parameters;
  const fargate = hourlyCost(
    { kind: "fargate", name: "tasks", tasks, vcpu: taskVcpu, memoryGb: taskMemoryGb, architecture },
    prices,
  );
  const fargateUsdPerMonth = fargate.usdPerHour * hoursPerMonth;
  const gbSeconds = gbSecondsPerOrder(parameters);
  const { lambda_requests, lambda_gb_seconds } = prices.free_tier;
  const lambdaPrices = ["lambda.million_requests", `lambda.${architecture}_gb_second`];
  return {
    fargateUsdPerMonth,
    lambdaGbSecondsPerOrder: gbSeconds,
    lambdaUsdPerMillionOrders: lambdaUsdPerMonth(1e6, { ...parameters, freeTier: false }, prices),
    freeOrdersPerMonth: freeTier
      ? Math.floor(Math.min(lambda_requests.amount, lambda_gb_seconds.amount / gbSeconds) + 1e-9)
      : 0,
    ordersPerMonth: mostOrders(
      (orders) => lambdaUsdPerMonth(orders, parameters, prices) <= fargateUsdPerMonth,
    ),
    // Divided last: a third of something would round a whole number of orders down to the one before.
    fargateMostOrdersPerMonth: Math.floor((tasks * workersPerTask * hoursPerMonth * 3600) / durationSeconds),
    unverifiedPrices: unverified(prices, [...fargate.prices, ...lambdaPrices]),
  };
}

/** What Lambda takes for a month with so many orders: requests and GB-seconds. USD. */
export function lambdaUsdPerMonth(
  orders: number,
  parameters: Pick<BreakEvenParameters, "lambdaMemoryGb" | "durationSeconds" | "architecture" | "freeTier">,
  prices: Prices,
): number {
  const { architecture, freeTier } = parameters;
  const free = freeTier ? prices.free_tier.lambda_gb_seconds.amount : 0;
  const computed = Math.max(0, orders * gbSecondsPerOrder(parameters) - free);
  const compute = computed * prices.prices.lambda[`${architecture}_gb_second`].usd;
  return meterCost("lambdaRequests", orders, prices, freeTier) + compute;
}

function gbSecondsPerOrder({
  lambdaMemoryGb,
  durationSeconds,
}: Pick<BreakEvenParameters, "lambdaMemoryGb" | "durationSeconds">): number {
  return (lambdaMemoryGb * Math.ceil(durationSeconds * 1000 - 1e-9)) / 1000;
}

/** The largest whole number for which it is still true; it is true for 0 and becomes false for good somewhere. */
function mostOrders(affordable: (orders: number) => boolean): number {
  let high = 1;
  while (affordable(high) && high < Number.MAX_SAFE_INTEGER / 4) high *= 2;
  let low = 0;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (affordable(middle)) low = middle;
    else high = middle;
  }
  return low;
}

function check(parameters: BreakEvenParameters): void {
  for (const name of ["taskVcpu", "taskMemoryGb", "lambdaMemoryGb", "durationSeconds"] as const) {
    if (!(parameters[name] > 0) || !Number.isFinite(parameters[name])) {
      throw new RangeError(`${name} must be a number above 0`);
    }
  }
  for (const name of ["tasks", "workersPerTask"] as const) {
    if (!Number.isInteger(parameters[name]) || parameters[name] < 1) {
      throw new RangeError(`${name} must be a whole number from 1`);
    }
  }
}
