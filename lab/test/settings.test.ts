import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { rootDir } from "../src/paths.ts";
import {
  environmentWithDotEnv,
  portSettings,
  portVariables,
  settingsFromEnv,
  settingsSchema,
} from "../src/settings.ts";

t.test("an empty environment gives the defaults", async (t) => {
  const settings = settingsFromEnv({ K6: "", NUM_WORKERS: " " }, "/root-of-it");
  t.match(settings, {
    profiles: ["orders", "bidding"],
    profileGiven: false,
    runtime: "auto",
    emulator: "localstack",
    broker: "sns-sqs",
    consumer: "workers",
    composeProject: "parallax",
    images: { backing: {}, node: undefined },
    labDir: "/root-of-it/.lab",
    ports: { ordersReceiver: 8080, biddingApi: 8081, biddingLive: 8082, postgres: 5432 },
    orders: { numWorkers: 20, paymentSeconds: 3, paymentConcurrency: 1, syncAbandon: "drop" },
    bidding: { gateways: 2, broadcastHz: 20 },
  });
  t.equal(settings.k6, undefined);
  t.ok(settingsFromEnv({ PROFILE: "all" }, "/").profileGiven);
  t.notOk(settingsFromEnv({ PROFILE: " " }, "/").profileGiven);
});

t.test("everything wrong is listed at once", async (t) => {
  const wrong = {
    PROFILE: "orders,x",
    RUNTIME: "vm",
    EMULATOR: "moto",
    BROKER: "kafka",
    CONSUMER: "me",
    COMPOSE_PROJECT_NAME: "My Lab",
    REDIS_PORT: "0",
    NUM_WORKERS: "1e3",
    GATEWAYS: "3",
    BROADCAST_HZ: "-1",
    PAYMENT_SECONDS: "-1",
    OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4317",
    REDIS_IMAGE: "redis 8",
  };
  t.throws(() => settingsFromEnv(wrong, "/"), {
    code: "SETTINGS_INVALID",
    exitCode: 2,
    reason:
      /PROFILE.*"x".*RUNTIME.*process.*EMULATOR.*ministack.*BROKER.*bullmq.*CONSUMER.*lambda.*COMPOSE_PROJECT_NAME.*REDIS_PORT.*1 to 65535.*NUM_WORKERS.*PAYMENT_SECONDS.*GATEWAYS must be one of: 1, 2.*BROADCAST_HZ.*OTEL_EXPORTER_OTLP_ENDPOINT.*http:.*REDIS_IMAGE/,
  });
});

t.test("two parts on one port clash", async (t) => {
  const clash = { REDIS_PORT: "9000", POSTGRES_PORT: "9000" };
  t.throws(() => settingsFromEnv(clash, "/"), {
    code: "SETTINGS_INVALID",
    reason: /REDIS_PORT and POSTGRES_PORT must differ/,
  });
});

t.test("a Lambda function needs what calls and runs it", async (t) => {
  const lambda = { CONSUMER: "lambda", EMULATOR: "ministack" };
  t.match(settingsFromEnv(lambda, "/"), { consumer: "lambda", broker: "sns-sqs" });
  for (const [other, reason] of [
    [{ BROKER: "bullmq" }, /needs BROKER=sns-sqs.*BullMQ has none/],
    [{ RUNTIME: "process" }, /needs RUNTIME=compose/],
    [{ EMULATOR: "localstack" }, /needs EMULATOR=ministack.*registry/],
  ] as const) {
    t.throws(() => settingsFromEnv({ ...lambda, ...other }, "/"), { code: "SETTINGS_INVALID", reason });
  }
  t.match(settingsFromEnv({ BROKER: "bullmq", RUNTIME: "process" }, "/"), { broker: "bullmq" });
});

t.test("each port variable moves the setting that it is listed with", async (t) => {
  for (const variable of portVariables) {
    const { ports } = settingsFromEnv({ [variable]: "9000" }, "/");
    t.equal(ports[portSettings[variable]], 9000, variable);
  }
  t.same(Object.values(portSettings).sort(), Object.keys(settingsFromEnv({}, "/").ports).sort());
});

t.test("images and the token are taken as they are given", async (t) => {
  const settings = settingsFromEnv(
    { REDIS_IMAGE: "host:5000/redis:8@sha256:ab", LOCALSTACK_AUTH_TOKEN: "ls" },
    "/",
  );
  t.same(settings.images.backing, { REDIS_IMAGE: "host:5000/redis:8@sha256:ab" });
  t.equal(settings.localstackToken, "ls");
});

t.test("the environment wins over .env", async (t) => {
  const root = t.testdir({ ".env": "NUM_WORKERS=5\nREDIS_PORT=7000 # moved\n" });
  const env = environmentWithDotEnv(root, { NUM_WORKERS: "9" });
  t.match(settingsFromEnv(env, root), { orders: { numWorkers: 9 }, ports: { redis: 7000 } });
});

t.test(".env.example and the settings list the same names, and its values are the defaults", async (t) => {
  const example = readFileSync(join(rootDir, ".env.example"), "utf8");
  const lines = [...example.matchAll(/^# ([A-Z0-9_]+)=(.*)$/gm)];
  t.same(lines.map(([, name]) => name).sort(), Object.keys(settingsSchema.shape).sort());
  const given = Object.fromEntries(lines.map(([, name, value]) => [name, value]));
  t.same(settingsFromEnv(given, "/"), { ...settingsFromEnv({}, "/"), profileGiven: true });
});
