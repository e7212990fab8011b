import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { environmentCost, periodHours } from "../../src/models/cost.ts";
import { type AwsEnvironment, awsEnvironments } from "../../src/models/environments.ts";
import { listPrices, priceRegion, pricesDir, readPrices, unverified } from "../../src/models/prices.ts";
import { hourlyCost, meterCost, meterPrice } from "../../src/models/service-prices.ts";
import { publishedGeecache, publishedOrdersScaling } from "../../src/published/index.ts";

const prices = readPrices();
const near = (a: number, b: number) => Math.abs(a - b) < 1e-9;

t.test("the price file says for each price where it is from and whether it was confirmed", async (t) => {
  t.match(prices, { region: priceRegion, currency: "USD" });
  t.match(prices.as_of, /^\d{4}-\d\d-\d\d$/);
  for (const { name, price } of listPrices(prices)) {
    t.match(price.source, /^https:\/\/aws\.amazon\.com\//, name);
    if (!price.verified) t.match(price.evidence, /to be verified/i, name);
  }
  t.same(unverified(prices, ["alb.hour", "alb.lcu_hour"]), ["alb.lcu_hour"]);
});

t.test("a damaged price file is named with its field", async (t) => {
  const whole = readFileSync(join(pricesDir, `${priceRegion}.json`), "utf8");
  const damaged = (damage: (data: ReturnType<typeof readPrices>) => unknown) => {
    const data = JSON.parse(whole);
    damage(data);
    const directory = t.testdir({ [`${priceRegion}.json`]: "" });
    writeFileSync(join(directory, `${priceRegion}.json`), JSON.stringify(data));
    return () => readPrices(directory);
  };
  const named = (message: RegExp) => ({ code: "DATA_DAMAGED", message, remedy: /git checkout/ });
  t.throws(
    damaged((data) => Object.assign(data.prices.alb.hour, { usd: "0.0225" })),
    named(/prices\.alb\.hour\.usd/),
  );
  t.throws(
    damaged((data) => Object.assign(data.prices.nat.gb, { usd: -1 })),
    named(/prices\.nat\.gb\.usd/),
  );
  t.throws(
    damaged((data) => Object.assign(data, { as_of: "last week" })),
    named(/as_of/),
  );
  t.throws(
    damaged((data) => Object.assign(data.prices, { sqs: {} })),
    named(/prices\.sqs\.million_requests/),
  );
  t.throws(
    damaged((data) => Object.assign(data.prices, { s3: {} })),
    named(/s3/),
  );
  t.throws(() => readPrices(t.testdir({})), named(/us-west-2\.json/));
});

t.test("parts by the hour", async (t) => {
  const task = { kind: "fargate", name: "", tasks: 2, vcpu: 0.5, memoryGb: 1 } as const;
  const hourly = (part: Parameters<typeof hourlyCost>[0]) => hourlyCost(part, prices).usdPerHour;
  t.ok(near(hourly({ ...task, architecture: "x86" }), 2 * (0.5 * 0.04048 + 0.004445)));
  t.ok(near(hourly({ ...task, architecture: "arm" }), 2 * (0.5 * 0.03238 + 0.00356)));
  t.ok(near(hourly({ kind: "alb", name: "", count: 1 }), 0.0225));
  t.ok(near(hourly({ kind: "nlb", name: "", count: 2 }), 0.045));
  t.ok(near(hourly({ kind: "nat", name: "", count: 1 }), 0.045));
  t.ok(near(hourly({ kind: "public-ipv4", name: "", count: 3 }), 0.015));
  t.ok(near(hourly({ kind: "cache", name: "", count: 1 }), 0.016));
  t.ok(near(hourly({ kind: "postgres", name: "", count: 1, storageGb: 20 }) * 730, 0.016 * 730 + 2.3));
});

t.test("meters by use, with and without what is free each month", async (t) => {
  t.ok(near(meterCost("sqsRequests", 3e6, prices, false), 1.2));
  t.ok(near(meterCost("sqsRequests", 3e6, prices, true), 0.8));
  t.equal(meterCost("sqsRequests", 1e6, prices, true), 0);
  t.equal(meterCost("snsPublishes", 5e5, prices, true), 0);
  t.ok(near(meterCost("natGb", 10, prices, true), 0.45), "the gateway has no free tier");
  t.ok(near(meterCost("nlcuHours", 10, prices, true), 0.06));
  const names = new Set(listPrices(prices).map(({ name }) => name));
  for (const meter of ["snsPublishes", "lambdaGbSeconds", "lcuHours", "logsGb", "dataOutGb"] as const) {
    t.ok(names.has(meterPrice(meter, prices).price), meter);
  }
});

t.test("an environment: its parts, the periods, and what orders add", async (t) => {
  for (const environment of awsEnvironments) {
    const cost = environmentCost(environment, prices, { ordersPerMonth: 2e6 });
    const hourly = cost.parts.reduce((sum, part) => sum + part.usdPerHour, 0);
    for (const [period, hours] of Object.entries(periodHours)) {
      t.ok(near(cost.running[period as keyof typeof periodHours], hourly * hours), period);
    }
    t.ok(near(cost.month.total, cost.month.running + cost.month.used));
    t.ok(near((cost.month.usdPerMillionOrders ?? 0) * 2, cost.month.total));
    t.ok(cost.month.used >= 2 * cost.usdPerMillionOrders - 1e-9);
    const idle = cost.idlePerMonth.reduce((sum, { usd }) => sum + usd, 0);
    t.ok(near(cost.month.usedIdle, idle) && near(cost.month.used - idle, 2 * cost.usdPerMillionOrders));
    const free = environmentCost(environment, prices, { ordersPerMonth: 2e6, freeTier: true });
    t.ok(free.month.used < cost.month.used);
    t.ok(cost.unverifiedPrices.length > 0 && environment.assumptions.length > 0);
    t.equal(environmentCost(environment, prices).month.usdPerMillionOrders, undefined);
  }
  t.throws(
    () => environmentCost(awsEnvironments[0] as AwsEnvironment, prices, { ordersPerMonth: -1 }),
    RangeError,
  );
});

t.test(
  "published: two tasks for 17 USD a month; by list price 18.02, or 17.77 in a month of 30 days",
  async (t) => {
    const { cost } = publishedOrdersScaling();
    const task = {
      kind: "fargate",
      name: "",
      tasks: 2,
      vcpu: 0.25,
      memoryGb: 0.5,
      architecture: "x86",
    } as const;
    const { usdPerHour } = hourlyCost(task, prices);
    t.equal((usdPerHour * 730).toFixed(2), "18.02");
    t.equal(Math.floor(usdPerHour * 720), cost.ecsTwoTasksUsdPerMonth);
    t.equal(cost.savingsUsdPerYear, 12 * cost.ecsTwoTasksUsdPerMonth);
    const alone = usdPerHour * 730;
    const whole = environmentCost(awsEnvironments[0] as AwsEnvironment, prices).running.month;
    t.ok(whole > 5 * alone, "two tasks are less than a fifth of what the deployment costs");
  },
);

t.test(
  "published: the cache's cost by hour, day, week, month and semester follows from 0.20 USD an hour",
  async (t) => {
    const { costUsd } = publishedGeecache();
    t.ok(near(costUsd.awsPerHour * periodHours.day, costUsd.perDayEightHours));
    t.ok(near(costUsd.awsPerHour * periodHours.week, costUsd.perWeekEightHourDays));
    t.ok(near(costUsd.awsPerHour * 720, costUsd.perMonthContinuous), "a month of 30 days there, 730 h here");
    t.equal(costUsd.perMonthContinuous * 4, costUsd.perSemesterFourMonths);
    t.equal(Math.round(costUsd.awsPerHour * 24), costUsd.perDayLeftOn);
  },
);
