/** What each AWS service takes: parts by the hour, meters by use. Formulas are those of the services' price pages. */
import type { Meter, Part } from "./environments.ts";
import type { FreeTier, Prices } from "./prices.ts";

/** AWS counts a month as 730 hours. */
export const hoursPerMonth = 730;

export interface HourlyCost {
  readonly usdPerHour: number;
  /** Prices that it is made of, as `alb.hour`. */
  readonly prices: readonly string[];
}

/** What a part costs an hour. Storage is paid by the month and counted by the hour. */
export function hourlyCost(part: Part, { prices }: Prices): HourlyCost {
  switch (part.kind) {
    case "fargate": {
      const { architecture, tasks, vcpu, memoryGb } = part;
      const { [`${architecture}_vcpu_hour` as const]: cpu, [`${architecture}_gb_hour` as const]: memory } =
        prices.fargate;
      return {
        usdPerHour: tasks * (vcpu * cpu.usd + memoryGb * memory.usd),
        prices: [`fargate.${architecture}_vcpu_hour`, `fargate.${architecture}_gb_hour`],
      };
    }
    case "alb":
      return { usdPerHour: part.count * prices.alb.hour.usd, prices: ["alb.hour"] };
    case "nlb":
      return { usdPerHour: part.count * prices.nlb.hour.usd, prices: ["nlb.hour"] };
    case "nat":
      return { usdPerHour: part.count * prices.nat.hour.usd, prices: ["nat.hour"] };
    case "public-ipv4":
      return { usdPerHour: part.count * prices.public_ipv4.hour.usd, prices: ["public_ipv4.hour"] };
    case "cache":
      return {
        usdPerHour: part.count * prices.elasticache.cache_t4g_micro_hour.usd,
        prices: ["elasticache.cache_t4g_micro_hour"],
      };
    case "postgres": {
      const { db_t4g_micro_hour: instance, gp3_gb_month: storage } = prices.rds;
      return {
        usdPerHour: part.count * (instance.usd + (part.storageGb * storage.usd) / hoursPerMonth),
        prices: ["rds.db_t4g_micro_hour", "rds.gp3_gb_month"],
      };
    }
  }
}

interface MeterPrice {
  readonly usd: number;
  /** Its name in the price file. */
  readonly price: string;
  readonly free?: FreeTier;
}

/** What one unit of a meter costs, and which monthly allowance it has. */
export function meterPrice(meter: Meter, { prices }: Prices): MeterPrice {
  const perMillion = (usd: number) => usd / 1e6;
  switch (meter) {
    case "snsPublishes":
      return {
        usd: perMillion(prices.sns.million_publishes.usd),
        price: "sns.million_publishes",
        free: "sns_publishes",
      };
    case "sqsRequests":
      return {
        usd: perMillion(prices.sqs.million_requests.usd),
        price: "sqs.million_requests",
        free: "sqs_requests",
      };
    case "lambdaRequests":
      return {
        usd: perMillion(prices.lambda.million_requests.usd),
        price: "lambda.million_requests",
        free: "lambda_requests",
      };
    case "lambdaGbSeconds":
      return {
        usd: prices.lambda.x86_gb_second.usd,
        price: "lambda.x86_gb_second",
        free: "lambda_gb_seconds",
      };
    case "lcuHours":
      return { usd: prices.alb.lcu_hour.usd, price: "alb.lcu_hour" };
    case "nlcuHours":
      return { usd: prices.nlb.nlcu_hour.usd, price: "nlb.nlcu_hour" };
    case "natGb":
      return { usd: prices.nat.gb.usd, price: "nat.gb" };
    case "logsGb":
      return { usd: prices.cloudwatch.logs_gb.usd, price: "cloudwatch.logs_gb", free: "cloudwatch_logs_gb" };
    case "dataOutGb":
      return { usd: prices.data_transfer.out_gb.usd, price: "data_transfer.out_gb", free: "data_out_gb" };
  }
}

/** What a month's use of a meter costs, the monthly allowance taken off where the free tier counts. */
export function meterCost(meter: Meter, amount: number, prices: Prices, freeTier: boolean): number {
  const { usd, free } = meterPrice(meter, prices);
  const allowance = freeTier && free !== undefined ? prices.free_tier[free].amount : 0;
  return Math.max(0, amount - allowance) * usd;
}
