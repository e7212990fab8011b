import t from "tap";
import { configureFromEnv } from "../../src/processor-lambda/config.ts";

const good = { DATABASE_URL: "postgres://postgres:5432/parallax", PAYMENTS_URL: "http://payments:8090" };

t.test("what is left out has defaults", async (t) => {
  t.same(configureFromEnv(good), { ...good, PAYMENT_TIMEOUT_SECONDS: 8, LOG_LEVEL: "info" });
});

t.test("all that is wrong is told at once", async (t) => {
  t.throws(() => configureFromEnv({ PAYMENTS_URL: "payments", PAYMENT_TIMEOUT_SECONDS: "10" }), {
    code: "CONFIG_INVALID",
    problems: [/^DATABASE_URL/, /^PAYMENTS_URL/, /^PAYMENT_TIMEOUT_SECONDS: must be from 1 to 9/],
  });
});
