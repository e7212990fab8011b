import t from "tap";
import { experiments } from "../../src/experiments/catalogue.ts";
import { resolveParameters } from "../../src/experiments/parameters.ts";
import { checkServiceSettings } from "../../src/experiments/service-variables.ts";

t.test("what services read is accepted", async (t) => {
  await t.resolves(checkServiceSettings({}));
  await t.resolves(checkServiceSettings({ "orders-processor": { NUM_WORKERS: "5" } }));
});

t.test("an unknown service, an unknown variable and a wrong value are told with what is right", async (t) => {
  await t.rejects(checkServiceSettings({ "orders-nobody": { A: "1" } }), {
    code: "USAGE",
    remedy: /orders-receiver, orders-payments, orders-processor/,
  });
  await t.rejects(checkServiceSettings({ constructor: { A: "1" } }), { code: "USAGE" });
  await t.rejects(checkServiceSettings({ "orders-processor": { NUM_WORKER: "5" } }), {
    code: "USAGE",
    message: "orders-processor has no variable NUM_WORKER.",
    remedy: /NUM_WORKERS/,
  });
  for (const value of ["abc", "0", "5.5", ""]) {
    await t.rejects(checkServiceSettings({ "orders-processor": { NUM_WORKERS: value } }), {
      code: "USAGE",
      reason: /must be/,
    });
  }
});

t.test("experiments give services what these read", async (t) => {
  for (const experiment of experiments) {
    await t.resolves(checkServiceSettings(experiment.services(resolveParameters(experiment, {}))));
  }
});

t.test("one broker takes the orders and hands them out, or none of the two is named", async (t) => {
  const by = (receiver: object, processor: object) =>
    checkServiceSettings({ "orders-receiver": { ...receiver }, "orders-processor": { ...processor } });
  await t.resolves(by({ BROKER: "bullmq" }, { BROKER: "bullmq" }));
  await t.resolves(by({ LOG_LEVEL: "warn" }, { NUM_WORKERS: "5" }));
  for (const [receiver, processor] of [
    [{ BROKER: "bullmq" }, {}],
    [{}, { BROKER: "bullmq" }],
    [{ BROKER: "bullmq" }, { BROKER: "sns-sqs" }],
  ] as const) {
    await t.rejects(by(receiver, processor), {
      code: "USAGE",
      message: "orders-receiver and orders-processor need the same BROKER.",
      remedy: "Set both, as orders-receiver.BROKER=bullmq orders-processor.BROKER=bullmq.",
    });
  }
});
