/** The process runtime's plan of orders, for each broker. */
import t from "tap";
import { embeddedSource } from "../../../src/runtimes/process/embedded-source.ts";
import { ordersParts, ordersVariables } from "../../../src/runtimes/process/orders-parts.ts";
import { settingsFromEnv } from "../../../src/settings.ts";

function plan(env: Record<string, string>) {
  const parts = ordersParts(settingsFromEnv(env, "/"), "postgres://a@b/c");
  return Object.fromEntries(parts.map((part) => [part.name, part]));
}

const clients = ["orders-receiver", "orders-processor"];

t.test("with SNS and SQS services know the emulator, and Redis, too", async (t) => {
  const parts = plan({ EMULATOR_PORT: "4000", REDIS_PORT: "6000", ORDERS_PAYMENTS_PORT: "9000" });
  for (const name of clients) {
    t.match(
      parts[name]?.environment,
      {
        BROKER: "sns-sqs",
        AWS_ENDPOINT_URL: "http://127.0.0.1:4000",
        REDIS_URL: "redis://127.0.0.1:6000",
        PAYMENTS_URL: "http://127.0.0.1:9000",
      },
      name,
    );
    t.same(parts[name]?.dependsOn, ["postgres", "redis", "emulator"], name);
  }
  t.match(parts["orders-receiver"]?.environment, { CONSUMER: "workers", SYNC_ABANDON: "drop" });
});

t.test("with BullMQ no part needs an emulator, or knows of AWS", async (t) => {
  const parts = plan({ BROKER: "bullmq", REDIS_PORT: "6000", SYNC_ABANDON: "keep" });
  for (const name of clients) {
    t.match(parts[name]?.environment, { BROKER: "bullmq", REDIS_URL: "redis://127.0.0.1:6000" }, name);
    t.same(parts[name]?.dependsOn, ["postgres", "redis"], name);
  }
  for (const { name, environment } of Object.values(parts)) {
    const aws = Object.keys(environment).filter((variable) => variable.startsWith("AWS_"));
    t.same(aws, [], `${name} has no variable of AWS`);
  }
  t.match(parts["orders-receiver"]?.environment, { SYNC_ABANDON: "keep" });
});

t.test("what settings choose is known by part, and nothing secret is", async (t) => {
  const chosen = (env: Record<string, string>) => ordersVariables(settingsFromEnv(env, "/"));
  const { "orders-payments": payments, ...rest } = chosen({ NUM_WORKERS: "7", PAYMENT_SECONDS: "1.5" });
  t.same(payments, {
    PAYMENT_SECONDS: "1.5",
    PAYMENT_CONCURRENCY: "1",
    LOG_LEVEL: "info",
    OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
  });
  t.match(rest, { "orders-receiver": { SYNC_ABANDON: "drop" }, "orders-processor": { NUM_WORKERS: "7" } });
  t.notMatch(JSON.stringify(chosen({})), /postgres:|SECRET|PASSWORD/);
});

t.test("the emulator is a part with SNS and SQS only", async (t) => {
  const names = (env: Record<string, string>) =>
    embeddedSource(settingsFromEnv(env, "/"))
      .parts(["orders"])
      .map(({ name }) => name);
  t.ok(names({}).includes("emulator"));
  t.notOk(names({ BROKER: "bullmq" }).includes("emulator"));
});

t.test("a function is refused before anything is prepared, where the machine has no engine", async (t) => {
  const source = embeddedSource(settingsFromEnv({ CONSUMER: "lambda", EMULATOR: "ministack" }, t.testdir()));
  const signal = new AbortController().signal;
  await t.rejects(source.prepare(["orders"], { signal, onEvent: () => t.fail("something was begun") }), {
    code: "SETTINGS_INVALID",
    remedy: /Docker engine.*CONSUMER=workers/,
  });
});
