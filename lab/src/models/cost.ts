/**
 * The cost model: what a deployment costs that is left running, by the published periods, and what orders add to it. An
 * estimate by list prices (prices.ts) for what environments.ts says a deployment has.
 */
import { type AwsEnvironment, type Meter, meters } from "./environments.ts";
import { type Prices, unverified } from "./prices.ts";
import { hourlyCost, hoursPerMonth, meterCost, meterPrice } from "./service-prices.ts";

/** Hours of each period. A day of a class has 8 hours and a week 7 such days, as published; the others never pause. */
export const periodHours = {
  hour: 1,
  day: 8,
  week: 7 * 8,
  month: hoursPerMonth,
  semester: 4 * hoursPerMonth,
} as const;
export type Period = keyof typeof periodHours;

export interface CostOptions {
  /** Orders a month; 0 by default. */
  readonly ordersPerMonth?: number;
  /** Whether the allowances that every account has each month are taken off. No by default: other projects use them too. */
  readonly freeTier?: boolean;
}

export interface EnvironmentCost {
  readonly environment: string;
  /** What is paid as long as it exists. USD. */
  readonly parts: readonly {
    readonly name: string;
    readonly usdPerHour: number;
    readonly usdPerMonth: number;
  }[];
  /** What it costs to leave it running for so long, without orders. USD. */
  readonly running: Readonly<Record<Period, number>>;
  /** What a million orders add, without the free tier. USD. */
  readonly usdPerMillionOrders: number;
  readonly perMillionOrders: readonly {
    readonly meter: Meter;
    readonly amount: number;
    readonly usd: number;
  }[];
  /** What waiting for work uses in a month without an order, without the free tier; empty where nothing polls. */
  readonly idlePerMonth: readonly { readonly meter: Meter; readonly amount: number; readonly usd: number }[];
  /** A month with `ordersPerMonth` orders. USD. */
  readonly month: {
    readonly orders: number;
    readonly freeTier: boolean;
    readonly running: number;
    /** By orders and by waiting for them. */
    readonly used: number;
    /** The part of it that waiting adds; less than `idlePerMonth` where the free tier covers it. */
    readonly usedIdle: number;
    readonly total: number;
    /** What a million orders cost then, all included; undefined without orders. */
    readonly usdPerMillionOrders: number | undefined;
  };
  /** Prices in it that were not confirmed for the region. */
  readonly unverifiedPrices: readonly string[];
}

/**
 * @throws RangeError for orders below 0
 */
export function environmentCost(
  environment: AwsEnvironment,
  prices: Prices,
  options: CostOptions = {},
): EnvironmentCost {
  const { ordersPerMonth = 0, freeTier = false } = options;
  if (!(ordersPerMonth >= 0) || !Number.isFinite(ordersPerMonth)) {
    throw new RangeError("ordersPerMonth must be a number from 0");
  }
  const priced = environment.parts.map((part) => ({ name: part.name, ...hourlyCost(part, prices) }));
  const usdPerHour = sum(priced.map((part) => part.usdPerHour));
  const used = meters.filter(
    (meter) => (environment.perOrder[meter] ?? 0) > 0 || (environment.perIdleHour[meter] ?? 0) > 0,
  );
  const perMillionOrders = used.map((meter) => {
    const amount = (environment.perOrder[meter] ?? 0) * 1e6;
    return { meter, amount, usd: meterCost(meter, amount, prices, false) };
  });
  const idle = (meter: Meter) => (environment.perIdleHour[meter] ?? 0) * hoursPerMonth;
  const byOrders = (meter: Meter) => (environment.perOrder[meter] ?? 0) * ordersPerMonth;
  const usedByOrders = sum(used.map((meter) => meterCost(meter, byOrders(meter), prices, freeTier)));
  const usedInMonth = sum(
    used.map((meter) => meterCost(meter, byOrders(meter) + idle(meter), prices, freeTier)),
  );
  const running = usdPerHour * hoursPerMonth;
  const total = running + usedInMonth;
  return {
    environment: environment.name,
    parts: priced.map(({ name, usdPerHour }) => ({
      name,
      usdPerHour,
      usdPerMonth: usdPerHour * hoursPerMonth,
    })),
    running: {
      hour: usdPerHour * periodHours.hour,
      day: usdPerHour * periodHours.day,
      week: usdPerHour * periodHours.week,
      month: running,
      semester: usdPerHour * periodHours.semester,
    },
    usdPerMillionOrders: sum(perMillionOrders.map(({ usd }) => usd)),
    perMillionOrders,
    idlePerMonth: used
      .filter((meter) => idle(meter) > 0)
      .map((meter) => ({ meter, amount: idle(meter), usd: meterCost(meter, idle(meter), prices, false) })),
    month: {
      orders: ordersPerMonth,
      freeTier,
      running,
      used: usedInMonth,
      usedIdle: usedInMonth - usedByOrders,
      total,
      usdPerMillionOrders: ordersPerMonth > 0 ? (total / ordersPerMonth) * 1e6 : undefined,
    },
    unverifiedPrices: unverified(prices, [
      ...priced.flatMap((part) => part.prices),
      ...used.map((meter) => meterPrice(meter, prices).price),
    ]),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
