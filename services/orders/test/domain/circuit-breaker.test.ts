import assert from "node:assert/strict";
import { DependencyUnavailable } from "@parallax/service";
import { waitFor } from "@parallax/testkit";
import fc from "fast-check";
import t from "tap";
import { CircuitBreaker } from "../../src/domain/circuit-breaker.ts";

const never = new AbortController().signal;
const out = () => Promise.reject(new DependencyUnavailable("out"));

function breaker(backoffMs = { first: 1, most: 2 }) {
  const changes: string[] = [];
  const breaker = new CircuitBreaker({ backoffMs, onChange: (state) => changes.push(state) });
  return { breaker, changes };
}

t.test("property: in any schedule no call is lost, one probe at a time, changes alternate", async (t) => {
  // What each of a number of calls meets, attempt by attempt, until it succeeds at last.
  const calls = fc.array(fc.array(fc.constantFrom("out", "permanent", "fine"), { maxLength: 5 }), {
    minLength: 1,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(calls, fc.scheduler(), async (calls, scheduler) => {
      const { breaker: it, changes } = breaker({ first: 0, most: 0 });
      let probing = 0;
      const run = async (meets: readonly string[], n: number) => {
        let attempt = 0;
        return await it.run(async () => {
          const meet = meets[attempt++] ?? "fine";
          // Whoever begins while it is open is the probe.
          const probe = it.state === "open";
          if (probe) probing += 1;
          assert.ok(probing <= 1, `${probing} probes at once`);
          try {
            await scheduler.schedule(Promise.resolve(), `${n}: ${meet}`);
            if (meet === "out") await out();
            if (meet === "permanent") throw new RangeError("refused");
            return n;
          } finally {
            if (probe) probing -= 1;
          }
        }, never);
      };
      const outcomes = Promise.allSettled(calls.map(run));
      await scheduler.waitFor(outcomes);
      for (const [n, outcome] of (await outcomes).entries()) {
        const expected = calls[n]?.find((meet) => meet !== "out") ?? "fine";
        if (expected === "fine") assert.deepEqual(outcome, { status: "fulfilled", value: n });
        else assert.ok(outcome.status === "rejected" && outcome.reason instanceof RangeError);
      }
      assert.ok(
        changes.every((state, at) => state === (at % 2 === 0 ? "open" : "closed")),
        changes.join(),
      );
      assert.equal(it.state, "closed");
      assert.equal(changes.length % 2, 0);
    }),
    { numRuns: 60 },
  );
  t.pass();
});

t.test("while it is out one probes and the others wait; when it answers all go on", async (t) => {
  const { breaker: it, changes } = breaker();
  let up = false;
  let calls = 0;
  const call = async () => {
    calls += 1;
    return up ? "paid" : await out();
  };
  const first = it.run(call, never);
  await waitFor("the breaker to open", () => it.state === "open");
  const others = Array.from({ length: 50 }, () => it.run(call, never));
  const before = calls;
  await waitFor("three more probes", () => calls >= before + 3);
  t.ok(calls < before + 50, "the fifty have not been tried");
  up = true;
  t.same(new Set(await Promise.all([first, ...others])), new Set(["paid"]));
  t.same(changes, ["open", "closed"]);
});

t.test("an error of the call's own passes through and does not open it", async (t) => {
  const { breaker: it, changes } = breaker();
  await t.rejects(
    it.run(() => Promise.reject(new RangeError("refused")), never),
    RangeError,
  );
  t.equal(it.state, "closed");
  t.same(changes, []);
});

t.test("a probe that is refused shows that the dependency answers: it closes", async (t) => {
  const { breaker: it, changes } = breaker();
  let attempts = 0;
  const call = async () => {
    attempts += 1;
    if (attempts < 3) await out();
    throw new RangeError("refused");
  };
  await t.rejects(it.run(call, never), RangeError);
  t.same(changes, ["open", "closed"]);
});

t.test("an abort ends the wait, of the probe between two tries and of those behind it", async (t) => {
  const { breaker: it } = breaker({ first: 60_000, most: 60_000 });
  const aborts = [new AbortController(), new AbortController()] as const;
  const probe = it.run(out, aborts[0].signal);
  await waitFor("the breaker to open", () => it.state === "open");
  const behind = it.run(async () => "paid", aborts[1].signal);
  aborts[1].abort(new Error("lease lost"));
  await t.rejects(behind, { message: "lease lost" });
  aborts[0].abort(new Error("stopping"));
  await t.rejects(probe, { message: "stopping" });
  t.equal(it.state, "open");
  t.equal(await it.run(async () => "paid", never), "paid", "the next one is the probe");
  await t.rejects(it.run(out, AbortSignal.abort(new Error("gone"))), { message: "gone" });
});

t.test(
  "one call that can never succeed does not stand in the way of the others, and is found out",
  async (t) => {
    const { breaker: it } = breaker();
    const poison = it.run(out, never);
    const settled = poison.then(
      () => "done",
      () => "failed",
    );
    for (let healthy = 0; healthy < 20; healthy += 1) {
      t.equal(await it.run(async () => healthy, never), healthy);
      await new Promise(setImmediate);
    }
    t.equal(await settled, "failed", "the dependency answers others: the failure is its own");
  },
);

t.test("in an outage nobody is blamed, however long it lasts", async (t) => {
  const { breaker: it } = breaker();
  let tries = 0;
  let back = false;
  const call = () => {
    tries += 1;
    return back ? Promise.resolve("done") : out();
  };
  const calls = Array.from({ length: 5 }, () => it.run(call, never));
  await waitFor("many tries", () => tries > 60);
  back = true;
  t.same(await Promise.all(calls), Array(5).fill("done"));
});

t.test(
  "when all who waited have given up, others are asked for who can find out that it is back",
  async (t) => {
    let wanted = 0;
    const it = new CircuitBreaker({
      backoffMs: { first: 60_000, most: 60_000 },
      onChange: () => {},
      onProbesWanted: () => {
        wanted += 1;
      },
    });
    const leaving = new AbortController();
    const callers = [1, 2, 3].map(() => it.run(out, leaving.signal));
    await waitFor("all to wait", () => it.state === "open");
    t.equal(wanted, 0, "one of them is the probe");
    leaving.abort(new RangeError("leases have ended"));
    for (const { status } of await Promise.allSettled(callers)) t.equal(status, "rejected");
    t.equal(wanted, 1);
    t.equal(await it.run(async () => "back", never), "back", "who comes now is the probe");
    t.equal(it.state, "closed");
    t.equal(wanted, 1, "nobody is wanted any more");
  },
);
