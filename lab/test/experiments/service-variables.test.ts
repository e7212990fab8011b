import t from "tap";
import { experiments } from "../../src/experiments/catalogue.ts";
import { resolveParameters } from "../../src/experiments/parameters.ts";
import { planRun } from "../../src/experiments/plan-run.ts";
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

t.test("a service of a system that is not run is told with those that there are", async (t) => {
  const changed = { "orders-processor": { NUM_WORKERS: "5" } };
  await t.resolves(checkServiceSettings(changed, { systems: ["orders"] }));
  await t.rejects(checkServiceSettings(changed, { systems: ["bidding"] }), {
    code: "USAGE",
    message: "orders-processor is no service of bidding.",
    remedy:
      "Take one of: bidding-gateway-1, bidding-gateway-2, bidding-broadcaster, bidding-archiver. orders-processor is changed in a run with SYSTEM=orders.",
  });
  await t.rejects(checkServiceSettings({ "orders-nobody": { A: "1" } }, { systems: ["bidding"] }), {
    message: 'There is no service "orders-nobody" to change.',
    remedy: /^Take one of: bidding-gateway-1/,
  });
});

t.test("a service that the lab runs without is told with those that it runs", async (t) => {
  const here = {
    systems: ["bidding"],
    parts: ["redis", "bidding-gateway-1", "bidding-archiver", "orders-receiver"],
  };
  await t.resolves(checkServiceSettings({ "bidding-gateway-1": { BID_METHOD: "watch" } }, here));
  await t.rejects(checkServiceSettings({ "bidding-gateway-2": { BID_METHOD: "watch" } }, here), {
    code: "USAGE",
    message: "The lab runs without bidding-gateway-2.",
    remedy: "Take one of: bidding-gateway-1, bidding-archiver.",
  });
});

for (const [service, variable, value, setting] of [
  ["bidding-gateway-1", "PORT", "1", "BIDDING_API_PORT"],
  ["bidding-gateway-2", "PORT", "1", "BIDDING_API_PORT"],
  ["bidding-gateway-2", "REDIS_URL", "redis://127.0.0.1:1", "REDIS_PORT"],
  ["bidding-broadcaster", "GATEWAY_URL", "http://127.0.0.1:1", "BIDDING_API_PORT"],
  ["bidding-archiver", "NATS_URL", "nats://127.0.0.1:1", "NATS_PORT"],
  ["bidding-archiver", "DATABASE_URL", "postgres://127.0.0.1:1/a", "POSTGRES_PORT"],
  ["orders-receiver", "AWS_ENDPOINT_URL", "http://127.0.0.1:1", "EMULATOR_PORT"],
  ["orders-receiver", "CONSUMER", "lambda", "CONSUMER"],
  ["orders-processor", "PAYMENTS_URL", "http://127.0.0.1:1", "ORDERS_PAYMENTS_PORT"],
  ["orders-payments", "HOST", "0.0.0.0", undefined],
  ["orders-processor", "AWS_REGION", "eu-west-1", undefined],
] as const) {
  t.test(`${service}.${variable} is the lab's to assign, and is not offered`, async (t) => {
    await t.rejects(checkServiceSettings({ [service]: { [variable]: value } }), {
      code: "USAGE",
      message: `${service}.${variable} is not for a run to change: the lab assigns it.`,
      remedy: setting ? new RegExp(`^Set ${setting} in \\.env, then`) : /^Take one of: /,
    });
    const unknown = await checkServiceSettings({ [service]: { NOTHING: "1" } }).catch((error) => error);
    t.match(unknown.remedy, /LOG_LEVEL/);
    t.notOk(unknown.remedy.split(/[ ,.]+/).includes(variable), unknown.remedy);
  });
}

t.test("what experiments and people change for a run is not assigned", async (t) => {
  for (const experiment of experiments) {
    await t.resolves(checkServiceSettings(planRun(experiment).services), experiment.name);
    for (const { services = {} } of experiment.rows ?? []) await t.resolves(checkServiceSettings(services));
  }
  await t.resolves(
    checkServiceSettings({
      "orders-receiver": { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318", SYNC_ABANDON: "keep" },
      "orders-payments": { PAYMENT_SECONDS: "1", PAYMENT_CONCURRENCY: "2", DATABASE_POOL_SIZE: "4" },
      "orders-processor": { VISIBILITY_TIMEOUT_SECONDS: "5", RECEIVE_WAIT_SECONDS: "0" },
      "bidding-gateway-1": { BID_METHOD: "watch", MOST_UNARCHIVED: "10", RELAY_IN_FLIGHT: "1" },
      "bidding-broadcaster": { BROADCAST_HZ: "0", RECONCILE_SECONDS: "0.5", SHUTDOWN_GRACE_SECONDS: "1" },
      "bidding-archiver": { RETENTION_SECONDS: "60", ARCHIVE_BATCH: "1", LOG_LEVEL: "debug" },
    }),
  );
});
