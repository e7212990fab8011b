/** The cost model's tables. Every one says of which day and region its prices are, and how many of them are unconfirmed. */
import { relative } from "node:path";
import type { Output } from "../cli/output.ts";
import type { BreakEven, BreakEvenParameters } from "../models/break-even.ts";
import type { EnvironmentCost, Period } from "../models/cost.ts";
import type { AwsEnvironment, Meter } from "../models/environments.ts";
import { type Prices, priceRegion, pricesDir } from "../models/prices.ts";
import { rootDir } from "../paths.ts";

const periods = {
  hour: "1 hour",
  day: "1 day of 8 h",
  week: "1 week of 7 such days",
  month: "1 month, 730 h",
  semester: "1 semester, 4 months",
} as const satisfies Record<Period, string>;

const meterNames = {
  snsPublishes: "SNS publishes",
  sqsRequests: "SQS requests",
  lambdaRequests: "Lambda requests",
  lambdaGbSeconds: "Lambda GB-seconds",
  lcuHours: "load balancer LCU-hours",
  nlcuHours: "load balancer NLCU-hours",
  natGb: "GB through the NAT gateway",
  logsGb: "GB of logs",
  dataOutGb: "GB to the internet",
} as const satisfies Record<Meter, string>;

/** What break-even takes where it is not told. */
export const breakEvenDefaults = { tasks: 1, workers: 20 } as const;

export function printCost(
  costs: readonly { readonly environment: AwsEnvironment; readonly cost: EnvironmentCost }[],
  prices: Prices,
  output: Output,
): void {
  for (const { environment, cost } of costs) {
    output.line(`${output.paint("bold", environment.name)}: ${environment.summary}`);
    output.line();
    output.table([
      ["part", "USD/hour", "USD/month"],
      ...cost.parts.map((part) => [part.name, part.usdPerHour.toFixed(4), part.usdPerMonth.toFixed(2)]),
    ]);
    output.line();
    output.table([
      ["left running for", "USD"],
      ...(Object.keys(periods) as Period[]).map((period) => [
        periods[period],
        cost.running[period].toFixed(2),
      ]),
    ]);
    output.line();
    output.table([
      ["a million orders use", "amount", "USD"],
      ...cost.perMillionOrders.map(({ meter, amount, usd }) => [
        meterNames[meter],
        told(amount),
        usd.toFixed(2),
      ]),
      ["in all, without the free tier", "", cost.usdPerMillionOrders.toFixed(2)],
    ]);
    for (const { meter, amount, usd } of cost.idlePerMonth) {
      output.line(
        `idle polling, also without an order: ${told(amount)} ${meterNames[meter]} a month, ${usd.toFixed(2)} USD`,
      );
    }
    output.line();
    printMonth(cost, output);
    for (const assumption of environment.assumptions) output.line(`  assumed: ${assumption}`);
    output.line();
  }
  printPriceNote(
    costs.flatMap(({ cost }) => cost.unverifiedPrices),
    prices,
    output,
  );
}

function printMonth({ month }: EnvironmentCost, output: Output): void {
  const { orders, freeTier, running, used, usedIdle, total, usdPerMillionOrders } = month;
  if (usdPerMillionOrders === undefined) return;
  output.line(
    `A month with ${told(orders)} orders, ${freeTier ? "with" : "without"} the free tier: ${running.toFixed(2)} running ` +
      `+ ${(used - usedIdle).toFixed(2)} used by orders + ${usedIdle.toFixed(2)} idle polling = ${total.toFixed(2)} USD; ` +
      `a million orders then cost ${usdPerMillionOrders.toFixed(2)} USD`,
  );
}

export function printBreakEven(
  parameters: BreakEvenParameters,
  result: BreakEven,
  prices: Prices,
  output: Output,
): void {
  const { tasks, workersPerTask, lambdaMemoryGb, durationSeconds, architecture, freeTier } = parameters;
  output.table([
    [`${architecture}, orders of ${durationSeconds} s`, ""],
    [
      `Fargate, ${tasks} × ${parameters.taskVcpu} vCPU and ${parameters.taskMemoryGb} GB`,
      `${result.fargateUsdPerMonth.toFixed(2)} USD a month`,
    ],
    [
      `Lambda, ${lambdaMemoryGb} GB`,
      `${result.lambdaUsdPerMillionOrders.toFixed(2)} USD a million orders (${told(result.lambdaGbSecondsPerOrder)} GB-s each)`,
    ],
    [
      "Lambda takes nothing up to",
      freeTier ? `${told(result.freeOrdersPerMonth)} orders a month` : "(no free tier)",
    ],
    ["Lambda is no dearer up to", `${told(result.ordersPerMonth)} orders a month`],
    ["the tasks' workers can do", `${told(result.fargateMostOrdersPerMonth)} orders a month`],
  ]);
  if (result.ordersPerMonth > result.fargateMostOrdersPerMonth) {
    output.line(
      "These tasks cannot do as many orders as they would have to: Lambda is cheaper wherever they suffice.",
    );
  }
  const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
  output.line(
    `Compared: ${counted(tasks, "task")} of ${counted(workersPerTask, "worker")}, ${freeTier ? "with" : "without"} ` +
      `the free tier. Unless told: ${counted(breakEvenDefaults.tasks, "task")} (TASKS=) ` +
      `of ${counted(breakEvenDefaults.workers, "worker")} (WORKERS=), with it (FREE_TIER=0: without).`,
  );
  output.line();
  printPriceNote(result.unverifiedPrices, prices, output);
}

function printPriceNote(unverified: readonly string[], prices: Prices, output: Output): void {
  const file = relative(rootDir, `${pricesDir}/${priceRegion}.json`);
  output.line(`List prices of ${prices.region} in ${prices.currency} as of ${prices.as_of}, in ${file}`);
  const names = [...new Set(unverified)];
  if (names.length > 0) output.line(`  ! not confirmed for that region: ${names.join(", ")}`);
}

function told(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 1 ? 4 : value < 100 ? 2 : 0 });
}
