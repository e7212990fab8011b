/** The variables of the compose files, filled in and written down. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import t from "tap";
import {
  composeVariables,
  secretVariables,
  writeEnvironmentFile,
} from "../../../src/runtimes/compose/variables.ts";
import { settingsFromEnv } from "../../../src/settings.ts";

const filledIn = { images: { REDIS_IMAGE: "mine/redis:1" }, postgresPassword: "pass word", cpus: 4 };

t.test("settings become variables", async (t) => {
  const settings = settingsFromEnv(
    {
      NUM_WORKERS: "7",
      REDIS_PORT: "7777",
      EMULATOR: "ministack",
      CONSUMER: "lambda",
      SYNC_ABANDON: "keep",
      GATEWAYS: "1",
      BROADCAST_HZ: "5",
      BIDDING_API_PORT: "9081",
    },
    "/root",
  );
  t.match(composeVariables(settings, filledIn), {
    NUM_WORKERS: "7",
    REDIS_PORT: "7777",
    EMULATOR: "ministack",
    BROKER: "sns-sqs",
    CONSUMER: "lambda",
    SYNC_ABANDON: "keep",
    GATEWAYS: "1",
    BROADCAST_HZ: "5",
    BIDDING_API_PORT: "9081",
    LAB_DIR: "/root/.lab",
    COMPOSE_PROJECT_NAME: "parallax",
    POSTGRES_PASSWORD: "pass word",
    REDIS_IMAGE: "mine/redis:1",
    ENGINE_CPUS: "2",
  });
});

t.test("no container asks for more processors than the machine has", async (t) => {
  const settings = settingsFromEnv({}, "/root");
  t.equal(composeVariables(settings, { ...filledIn, cpus: 1 }).ENGINE_CPUS, "1");
});

t.test("the LocalStack token is never written down", async (t) => {
  const settings = settingsFromEnv({ LOCALSTACK_AUTH_TOKEN: "ls-secret" }, "/root");
  t.notMatch(JSON.stringify(composeVariables(settings, filledIn)), /ls-secret/);
  t.same(secretVariables(settings), { LOCALSTACK_AUTH_TOKEN: "ls-secret" });
  t.same(secretVariables(settingsFromEnv({}, "/root")), {});
});

t.test("values of every kind survive the file, which nobody else can read", async (t) => {
  const file = join(t.testdir(), "compose.env");
  const values = { PLAIN: "a", SPACE: "a b", DOLLAR: "$HOME $X", HASH: "a # b", DOUBLE: 'say "hi"' };
  writeEnvironmentFile(file, values);
  t.match(parseEnv(readFileSync(file, "utf8")), values);
  t.equal(statSync(file).mode & 0o777, 0o600);
});
