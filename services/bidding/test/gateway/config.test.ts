import { ConfigError } from "@parallax/service";
import t from "tap";
import { gatewayConfig } from "../../src/gateway/config.ts";

const least = {
  REDIS_URL: "redis://127.0.0.1:6379",
  NATS_URL: "nats://127.0.0.1:4222",
  DATABASE_URL: "postgres://127.0.0.1/parallax",
};

t.test("what must be given is enough", async (t) => {
  t.match(gatewayConfig(least), {
    PORT: 8081,
    BID_METHOD: "script",
    MOST_UNARCHIVED: 100_000,
    MOST_ANSWERS: 1_000_000,
    RELAY_IN_FLIGHT: 1024,
    DEDUPE_WINDOW_SECONDS: 120,
    MAX_IN_FLIGHT: 20_000,
  });
});

t.test("all that is wrong is told at once", async (t) => {
  const env = { BID_METHOD: "hope", MOST_UNARCHIVED: "0", MOST_ANSWERS: "0", NATS_URL: "http://127.0.0.1" };
  try {
    gatewayConfig(env);
    t.fail("it was taken");
  } catch (error) {
    t.ok(error instanceof ConfigError);
    const names = (error as ConfigError).problems.map((line) => line.split(":")[0]);
    t.same(
      new Set(names),
      new Set(["BID_METHOD", "MOST_UNARCHIVED", "MOST_ANSWERS", "NATS_URL", "REDIS_URL", "DATABASE_URL"]),
    );
  }
});
