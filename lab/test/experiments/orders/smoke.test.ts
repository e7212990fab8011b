/** The smoke test on both kinds of lab: with a processor, and with a function in its place. */

import t from "tap";
import { smoke } from "../../../src/experiments/orders/smoke.ts";
import { parseVariant } from "../../../src/experiments/parameters.ts";
import { planRunOn } from "../../../src/experiments/plan-run.ts";
import type { Runtime } from "../../../src/runtimes/runtime.ts";

const lab = (CONSUMER: string) => ({ variables: async () => ({ CONSUMER }) }) as unknown as Runtime;
const payments = { PAYMENT_SECONDS: "0.2", PAYMENT_CONCURRENCY: "0" };

t.test("the processor is configured where there is one, and only there", async (t) => {
  const withWorkers = await planRunOn(lab("workers"), smoke);
  t.same(withWorkers.services, { "orders-payments": payments, "orders-processor": { NUM_WORKERS: "20" } });
  const withFunction = await planRunOn(lab("lambda"), smoke);
  t.same(withFunction.services, { "orders-payments": payments });
  t.same(withFunction.steps, withWorkers.steps, "the load is the same");
});

t.test("what a person gives to a part that is not there is not swallowed", async (t) => {
  const variant = parseVariant("orders-processor.NUM_WORKERS=5");
  const { services } = await planRunOn(lab("lambda"), smoke, { variant });
  t.same(services["orders-processor"], { NUM_WORKERS: "5" });
});

t.test("a lab that does not run is told before anything is planned", async (t) => {
  const down = { variables: () => Promise.reject(new Error("down")) } as unknown as Runtime;
  await t.rejects(planRunOn(down, smoke), /down/);
});
