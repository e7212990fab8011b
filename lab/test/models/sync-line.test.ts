import t from "tap";
import { simulateSyncLine } from "../../src/models/sync-line.ts";

const quick = { paymentSeconds: 1, timeoutSeconds: 10, seconds: 100, abandoned: "keep" as const };

t.test("few customers are all served, one after the other", async (t) => {
  const run = simulateSyncLine({ ...quick, users: 5 });
  t.match(run, { finished: 99, succeeded: 99, failed: 0, chargedAfterHangUp: 0, medianMs: 5000 });
});

t.test("with more customers than their patience allows for, nearly all is lost", async (t) => {
  const crowd = { ...quick, users: 35, paymentSeconds: 0.9 };
  const kept = simulateSyncLine({ ...crowd, abandoned: "keep" });
  t.equal(kept.succeeded, 11, "those who are served before the first hang up, and nobody after them");
  t.equal(kept.chargedAfterHangUp, 100, "the line goes on charging customers who are gone");
  // Whoever reaches the head of the line is about to hang up: it is worked off in the order of arrival.
  t.same(simulateSyncLine({ ...crowd, abandoned: "drop" }), kept, "leaving the line helps nobody");
});

t.test("a run of no time has no figures", async (t) => {
  t.match(simulateSyncLine({ ...quick, users: 3, seconds: 0 }), { finished: 0, meanMs: 0, medianMs: 0 });
});
