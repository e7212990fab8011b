import type { ConfigError } from "@parallax/service";
import t, { type Test } from "tap";
import { receiverConfig } from "../../src/receiver/config.ts";

const environment = { DATABASE_URL: "postgres://u@h/d", PAYMENTS_URL: "http://payments:8090" };

function problemsOf(t: Test, env: NodeJS.ProcessEnv): readonly string[] {
  return (t.throws(() => receiverConfig({ ...environment, ...env })) as unknown as ConfigError).problems;
}

t.test(
  "customers who wait are fewer than requests in flight, told with all else that is wrong",
  async (t) => {
    t.match(receiverConfig({ ...environment, SYNC_LIMIT: "9", MAX_IN_FLIGHT: "10" }), { SYNC_LIMIT: 9 });
    t.doesNotThrow(() => receiverConfig(environment));
    t.match(problemsOf(t, { SYNC_LIMIT: "10", MAX_IN_FLIGHT: "10", PORT: "http" }).toSorted(), [
      /^PORT/,
      /^SYNC_LIMIT: must be less than MAX_IN_FLIGHT .*\(it is "10"\)$/,
    ]);
    t.match(
      problemsOf(t, { MAX_IN_FLIGHT: "1000" }),
      [/^SYNC_LIMIT: must be less/],
      "its default counts too",
    );
  },
);

t.test("one of the two that is wrong by itself is told once", async (t) => {
  t.match(problemsOf(t, { SYNC_LIMIT: "many", MAX_IN_FLIGHT: "10" }), [/^SYNC_LIMIT: must be a whole/]);
  t.equal(problemsOf(t, { SYNC_LIMIT: "many", MAX_IN_FLIGHT: "10" }).length, 1);
});
