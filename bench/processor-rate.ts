/**
 * The processor's rate as a ratio to NUM_WORKERS / PAYMENT_SECONDS, on the real pipeline: emulator, Postgres,
 * payments and processor as processes. Goal: within 5 %. Needs a running lab (make up).
 */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { OrdersApi } from "../lab/src/experiments/orders/orders-api.ts";
import { rootDir } from "../lab/src/paths.ts";
import { chooseRuntime } from "../lab/src/runtimes/choose-runtime.ts";
import { environmentWithDotEnv, settingsFromEnv } from "../lab/src/settings.ts";
import { spread } from "./lib/ratio.ts";

const ROWS = [
  { workers: 5, seconds: 3 },
  { workers: 20, seconds: 3 },
  { workers: 100, seconds: 3 },
  { workers: 20, seconds: 1 },
];
const ROUNDS = 5;
const LEAST = 0.95;
const MOST = 1.05;

const settings = settingsFromEnv(environmentWithDotEnv(rootDir, process.env), rootDir);
const { runtime } = await chooseRuntime(settings);
await using api = OrdersApi.of(runtime);

/** Charges a second while every worker has work: between the ends of the first and the last full round of payments. */
async function rate(workers: number): Promise<number> {
  const before = (await api.ledgerSummary()).last_seq;
  const orders = workers * (ROUNDS + 2);
  const run = randomUUID();
  await Promise.all(
    Array.from({ length: orders }, (_, n) =>
      api.placeOrder({
        order_id: `${run}-${n}`,
        customer_id: "bench",
        items: [{ product_id: "p", quantity: 1, price: 1 }],
      }),
    ),
  );
  let charges = await api.chargesAfter(before);
  for (; charges.length < orders; charges = await api.chargesAfter(before)) await sleep(200);
  // The first payments begin while orders still arrive; from the end of that round on, every worker is busy.
  const first = charges[workers - 1];
  const last = charges[workers * (ROUNDS + 1) - 1];
  if (!first || !last) throw new Error("There are too few charges to measure a rate");
  return (workers * ROUNDS) / ((Date.parse(last.charged_at) - Date.parse(first.charged_at)) / 1000);
}

let within = true;
try {
  for (const { workers, seconds } of ROWS) {
    await runtime.configure("orders-payments", {
      PAYMENT_SECONDS: String(seconds),
      PAYMENT_CONCURRENCY: "0",
    });
    await runtime.configure("orders-processor", { NUM_WORKERS: String(workers) });
    const ratios: number[] = [];
    for (let repeat = 0; repeat < 3; repeat += 1) ratios.push((await rate(workers)) / (workers / seconds));
    within &&= ratios.every((ratio) => ratio >= LEAST && ratio <= MOST);
    console.log(
      `${workers} workers, ${seconds} s a payment: ${spread(ratios, 3)} of ${(workers / seconds).toFixed(2)} orders/s`,
    );
  }
} finally {
  await runtime.configure("orders-payments", {});
  await runtime.configure("orders-processor", {});
}
console.log(within ? "within 5 % in every repeat" : "NOT within 5 % in every repeat");
process.exitCode = within ? 0 : 1;
