/**
 * AWS's list prices, from one dated file a region (lab/data/prices). Each price has its unit, the page it stands on, and
 * whether it was confirmed for that region (`verified`) and by what (`evidence`).
 */
import { join } from "node:path";
import { z } from "zod";
import { dataDir, readDataFile } from "../util/data-file.ts";

const price = z.strictObject({
  usd: z.number().nonnegative(),
  unit: z.string().min(1),
  source: z.url(),
  verified: z.boolean(),
  evidence: z.string().min(1),
});

const allowance = z.strictObject({
  amount: z.number().nonnegative(),
  unit: z.string().min(1),
  source: z.url(),
  verified: z.boolean(),
  evidence: z.string().min(1),
});

const schema = z.strictObject({
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  /** The day the file was written. */
  as_of: z.iso.date(),
  currency: z.literal("USD"),
  note: z.string().min(1),
  prices: z.strictObject({
    fargate: z.strictObject({
      x86_vcpu_hour: price,
      x86_gb_hour: price,
      arm_vcpu_hour: price,
      arm_gb_hour: price,
    }),
    alb: z.strictObject({ hour: price, lcu_hour: price }),
    nlb: z.strictObject({ hour: price, nlcu_hour: price }),
    nat: z.strictObject({ hour: price, gb: price }),
    public_ipv4: z.strictObject({ hour: price }),
    sqs: z.strictObject({ million_requests: price }),
    sns: z.strictObject({
      million_publishes: price,
      million_deliveries_to_sqs: price,
      million_deliveries_to_lambda: price,
    }),
    lambda: z.strictObject({ million_requests: price, x86_gb_second: price, arm_gb_second: price }),
    rds: z.strictObject({ db_t4g_micro_hour: price, gp3_gb_month: price }),
    elasticache: z.strictObject({ cache_t4g_micro_hour: price }),
    cloudwatch: z.strictObject({ logs_gb: price }),
    data_transfer: z.strictObject({ out_gb: price }),
  }),
  /** What every account has free each month for ever; the free tier of new accounts is not counted. */
  free_tier: z.strictObject({
    lambda_requests: allowance,
    lambda_gb_seconds: allowance,
    sqs_requests: allowance,
    sns_publishes: allowance,
    cloudwatch_logs_gb: allowance,
    data_out_gb: allowance,
  }),
});

export type Prices = z.output<typeof schema>;
export type Price = z.output<typeof price>;
export type FreeTier = keyof Prices["free_tier"];

/** The region whose prices the lab has. */
export const priceRegion = "us-west-2";

/** Where price files are. */
export const pricesDir = join(dataDir, "prices");

/** @throws LabError DATA_DAMAGED that names file and field */
export function readPrices(directory: string = pricesDir): Prices {
  return readDataFile(join(directory, `${priceRegion}.json`), schema);
}

/** Every price with its path, as `fargate.x86_vcpu_hour`. */
export function listPrices({ prices }: Prices): { name: string; price: Price }[] {
  return Object.entries(prices).flatMap(([service, ofService]) =>
    Object.entries(ofService).map(([name, price]) => ({ name: `${service}.${name}`, price })),
  );
}

/** Names of those among `used` that were not confirmed for the region. */
export function unverified(prices: Prices, used: Iterable<string>): string[] {
  const names = new Set(used);
  return listPrices(prices)
    .filter(({ name, price }) => names.has(name) && !price.verified)
    .map(({ name }) => name);
}
