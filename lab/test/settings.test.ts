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
    profiles: ["orders"],
    runtime: "auto",
    emulator: "localstack",
    composeProject: "parallax",
    images: { backing: {}, node: undefined },
    labDir: "/root-of-it/.lab",
    ports: { ordersReceiver: 8080, postgres: 5432 },
    orders: { numWorkers: 20, paymentSeconds: 3, paymentConcurrency: 1 },
  });
  t.equal(settings.k6, undefined);
});

t.test("everything wrong is listed at once", async (t) => {
  const wrong = {
    PROFILE: "orders,x",
    RUNTIME: "vm",
    EMULATOR: "moto",
    COMPOSE_PROJECT_NAME: "My Lab",
    REDIS_PORT: "0",
    NUM_WORKERS: "1e3",
    PAYMENT_SECONDS: "-1",
    REDIS_IMAGE: "redis 8",
  };
  t.throws(() => settingsFromEnv(wrong, "/"), {
    code: "SETTINGS_INVALID",
    exitCode: 2,
    reason:
      /PROFILE.*"x".*RUNTIME.*process.*EMULATOR.*ministack.*COMPOSE_PROJECT_NAME.*REDIS_PORT.*1 to 65535.*NUM_WORKERS.*PAYMENT_SECONDS.*REDIS_IMAGE/,
  });
});

t.test("two parts on one port clash", async (t) => {
  const clash = { REDIS_PORT: "9000", POSTGRES_PORT: "9000" };
  t.throws(() => settingsFromEnv(clash, "/"), {
    code: "SETTINGS_INVALID",
    reason: /REDIS_PORT and POSTGRES_PORT must differ/,
  });
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
  t.same(settingsFromEnv(given, "/"), settingsFromEnv({}, "/"));
});
