import { waitFor } from "@parallax/testkit";
import t from "tap";
import { Leases } from "../../src/consumer/leases.ts";
import { LeaseLost } from "../../src/errors.ts";
import type { LeasedQueue } from "../../src/queue.ts";

function recordingQueue(hide: LeasedQueue["hide"]) {
  const calls: { receipts: readonly string[]; seconds: number }[] = [];
  const queue: LeasedQueue = {
    visibilitySeconds: 0.3,
    receive: async () => [],
    remove: async () => [],
    hide: (receipts, seconds) => {
      calls.push({ receipts, seconds });
      return hide(receipts, seconds);
    },
  };
  return { queue, calls };
}

t.test("extends in batches of ten, again and again", async (t) => {
  const { queue, calls } = recordingQueue(async () => []);
  const leases = new Leases(queue, () => t.fail("no error is expected"));
  t.teardown(() => leases.stop());
  const held = Array.from({ length: 25 }, (_, n) => leases.hold(`r${n}`));
  await waitFor("two rounds of three batches", () => calls.length >= 6);
  t.ok(calls.every(({ receipts, seconds }) => receipts.length <= 10 && seconds === 0.3));
  t.notOk(held.some(({ signal }) => signal.aborted));
});

t.test("a lease that the queue refuses to extend is lost, the others are not", async (t) => {
  const { queue } = recordingQueue(async (receipts) => receipts.filter((receipt) => receipt === "gone"));
  const leases = new Leases(queue, () => {});
  t.teardown(() => leases.stop());
  const gone = leases.hold("gone");
  const kept = leases.hold("kept");
  await waitFor("the loss", () => gone.signal.aborted);
  t.type(gone.signal.reason, LeaseLost);
  t.notOk(kept.signal.aborted);
});

t.test("a lease is lost when it ends while the queue cannot be reached", async (t) => {
  const errors: unknown[] = [];
  const { queue } = recordingQueue(() => Promise.reject(new Error("down")));
  const leases = new Leases(queue, (error) => errors.push(error));
  t.teardown(() => leases.stop());
  const lease = leases.hold("r");
  await waitFor("the loss", () => lease.signal.aborted);
  t.type(lease.signal.reason, LeaseLost);
  t.ok(errors.length >= 1, "each failed extension is told");
});

t.test("handing back hides for zero seconds and tells the holders why", async (t) => {
  const { queue, calls } = recordingQueue(async () => []);
  const leases = new Leases(queue, () => {});
  t.teardown(() => leases.stop());
  const lease = leases.hold("r1");
  leases.hold("r2");
  leases.drop("r2");
  const reason = new Error("stopping");
  t.equal(await leases.handBackAll(reason), 1);
  t.same(calls, [{ receipts: ["r1"], seconds: 0 }]);
  t.equal(lease.signal.reason, reason);
});

t.test("a lease is lost in time while its extension hangs", async (t) => {
  const hanging = Promise.withResolvers<string[]>();
  const { queue } = recordingQueue(() => hanging.promise);
  const leases = new Leases(queue, () => {});
  t.teardown(() => {
    leases.stop();
    hanging.resolve([]);
  });
  const lease = leases.hold("r");
  await waitFor("the loss", () => lease.signal.aborted, 2000);
  t.type(lease.signal.reason, LeaseLost);
});
