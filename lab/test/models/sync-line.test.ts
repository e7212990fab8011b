import t from "tap";
import { simulateSyncLine } from "../../src/models/sync-line.ts";

const quick = { paymentSeconds: 1, timeoutSeconds: 10, seconds: 100 };

t.test("few customers are all served, one after the other", async (t) => {
  const run = simulateSyncLine({ ...quick, users: 5 });
  t.match(run, { finished: 99, succeeded: 99, failed: 0, chargedAfterHangUp: 0, medianMs: 5000 });
});

t.test("with more customers than their patience allows for, nearly all is lost", async (t) => {
  const crowd = simulateSyncLine({ ...quick, users: 35, paymentSeconds: 0.9 });
  t.equal(crowd.succeeded, 11, "those who are served before the first hang up, and nobody after them");
  t.equal(crowd.chargedAfterHangUp, 100, "the line goes on charging customers who are gone");
  t.equal(crowd.medianMs, 10_000);
});

t.test(
  "an answer at the moment of hanging up is too late, whatever the last digits of a sum say",
  async (t) => {
    t.equal(simulateSyncLine({ ...quick, users: 12, paymentSeconds: 0.7, timeoutSeconds: 7 }).succeeded, 9);
  },
);

t.test("a run of no time has no figures", async (t) => {
  t.match(simulateSyncLine({ ...quick, users: 3, seconds: 0 }), { finished: 0, meanMs: 0, medianMs: 0 });
});
