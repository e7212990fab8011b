import t from "tap";
import { littlesLaw, littlesLawByPercentiles } from "../../src/models/littles-law.ts";

t.test("users = rate × (latency + think time), within 10 %", async (t) => {
  t.match(littlesLaw({ users: 100, rate: 50, latencySeconds: 1, thinkSeconds: 1 }), {
    expected: 100,
    relativeError: 0,
    holds: true,
  });
  t.equal(littlesLaw({ users: 100, rate: 110, latencySeconds: 1, thinkSeconds: 0 }).holds, true);
  t.equal(littlesLaw({ users: 100, rate: 111, latencySeconds: 1, thinkSeconds: 0 }).holds, false);
  t.equal(littlesLaw({ users: 100, rate: 89, latencySeconds: 1, thinkSeconds: 0 }).holds, false);
  t.equal(littlesLaw({ users: 0, rate: 1, latencySeconds: 1, thinkSeconds: 0 }).holds, false);
  t.equal(littlesLaw({ users: 0, rate: 0, latencySeconds: 1, thinkSeconds: 0 }).holds, true);
});

t.test("without a mean, the percentiles say between what it lies", async (t) => {
  const fine = littlesLawByPercentiles({
    users: 100,
    rate: 3607,
    p50Seconds: 0.022,
    p99Seconds: 0.037,
    thinkSeconds: 0,
  });
  t.equal(fine.holds, true);
  t.ok(fine.leastMeanSeconds < fine.impliedMeanSeconds && fine.impliedMeanSeconds < fine.highestMeanSeconds);
  const halfOfThemQuick = littlesLawByPercentiles({
    users: 60,
    rate: 100,
    p50Seconds: 1,
    p99Seconds: 1.1,
    thinkSeconds: 0,
  });
  t.match(halfOfThemQuick, { leastMeanSeconds: 0.5, impliedMeanSeconds: 0.6, holds: true });
  const tooSlow = littlesLawByPercentiles({
    users: 100,
    rate: 1000,
    p50Seconds: 0.5,
    p99Seconds: 1,
    thinkSeconds: 0,
  });
  t.equal(tooSlow.holds, false, "250 users at least would be needed");
});
