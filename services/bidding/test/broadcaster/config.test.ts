import type { ConfigError } from "@parallax/service";
import t from "tap";
import { broadcasterConfig } from "../../src/broadcaster/config.ts";

const environment = {
  REDIS_URL: "redis://redis:6379",
  NATS_URL: "nats://nats:4222",
  GATEWAY_URL: "http://gateway:8081",
};

t.test("what is not set is as documented", async (t) => {
  t.match(broadcasterConfig(environment), {
    PORT: 8082,
    BROADCAST_HZ: 20,
    ALLOWED_ORIGINS: [],
    MOST_WATCHERS: 20_000,
    MOST_BUFFERED_BYTES: 1024 ** 2,
    PING_SECONDS: 25,
    RECONCILE_SECONDS: 1,
  });
});

t.test("origins are a list with commas; fractions of a second are taken where they make sense", async (t) => {
  const config = broadcasterConfig({
    ...environment,
    ALLOWED_ORIGINS: " https://a.example,http://b.example:8080 ,",
    RECONCILE_SECONDS: "0.2",
  });
  t.same(config.ALLOWED_ORIGINS, ["https://a.example", "http://b.example:8080"]);
  t.equal(config.RECONCILE_SECONDS, 0.2);
});

t.test("all that is wrong is told at once", async (t) => {
  const wrong = {
    ...environment,
    NATS_URL: "http://nats",
    GATEWAY_URL: "",
    BROADCAST_HZ: "-1",
    ALLOWED_ORIGINS: "https://a.example/path",
    PING_SECONDS: "0.5",
    MOST_WATCHERS: "0",
  };
  const { problems } = t.throws(() => broadcasterConfig(wrong)) as unknown as ConfigError;
  t.same(problems.map((line) => line.split(":")[0]).toSorted(), [
    "ALLOWED_ORIGINS",
    "BROADCAST_HZ",
    "GATEWAY_URL",
    "MOST_WATCHERS",
    "NATS_URL",
    "PING_SECONDS",
  ]);
  for (const origin of ["a.example", "*", "null", "https://a.example/"]) {
    t.throws(() => broadcasterConfig({ ...environment, ALLOWED_ORIGINS: origin }), origin);
  }
});
