/** What can befall a processor: death between paying and acknowledging, slow payments, SIGTERM, a blocked event loop. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { VISIBILITY_SECONDS, type WiredLab } from "./wired-lab.ts";
import { Witness } from "./witness.ts";

/** All of it in hand at once. */
const IN_HAND = 10;

/** Adds the stories to `t`, one subtest each; for a lab with `IN_HAND` workers and payments that take a second and a little more. */
export function deathStories(t: Test, lab: WiredLab): void {
  const { wires, runtime, operator } = lab;
  const inFlight = async () => (await operator.depth()).inFlight;
  const paying = async () => (await lab.api.ledgerSummary()).in_progress;

  t.test(
    "killed after the payment and before its commit: the next delivery commits that charge",
    async (t) => {
      const witness = await Witness.begin(lab);
      // The provider charges; its answer never arrives.
      await wires.payments.silence("downstream");
      const ids = await witness.accept(IN_HAND);
      await waitFor("all to be charged", async () => (await witness.charges()) === ids.length);
      t.equal(await witness.completed(ids), 0, "charged, and not committed");
      await runtime.kill("orders-processor", "SIGKILL");
      t.equal(await witness.charges(), ids.length, "the charges stood at the kill");
      await wires.payments.heal();
      const count = await witness.holds(t, "sigkill-after-payment");
      t.equal(count.completed, ids.length);
      t.equal(count.begun_again, ids.length, "each was delivered once more");
    },
  );

  t.test(
    "killed after the commit and before the acknowledgement: the next delivery does nothing",
    async (t) => {
      const witness = await Witness.begin(lab);
      const ids = await witness.accept(IN_HAND);
      await waitFor("all to be in payment", async () => (await paying()) === ids.length);
      // What it has to say to the broker from now on is lost.
      await wires.queue.silence("upstream");
      await waitFor("all to be committed", async () => (await witness.completed(ids)) === ids.length);
      await runtime.kill("orders-processor", "SIGKILL");
      t.equal(await witness.charges(), ids.length, "the charges stood at the kill");
      const depth = await operator.depth();
      t.equal(depth.visible + depth.inFlight + depth.delayed, ids.length, "and no message was gone");
      await wires.queue.heal();
      const count = await witness.holds(t, "sigkill-before-acknowledgement");
      t.equal(count.charges, ids.length);
      t.equal(count.begun_again, ids.length, "each was delivered once more");
    },
  );

  t.test("a payment longer than the visibility timeout is made once, no twin beside it", async (t) => {
    await wires.payments.delay(VISIBILITY_SECONDS * 2000);
    const witness = await Witness.begin(lab);
    const ids = await witness.accept(IN_HAND);
    const count = await witness.holds(t, "payment-slower-than-visibility");
    t.equal(count.completed, ids.length);
    t.equal(count.begun_again, 0);
    t.same(new Set((await lab.receiveCounts(ids)).values()), new Set([1]), "each was delivered once");
    await wires.payments.heal();
  });

  t.test("the event loop is blocked until leases end: another processor recovers the orders", async (t) => {
    const loader = fileURLToPath(new URL("./block-event-loop.ts", import.meta.url));
    const blocking = join(t.testdir({ blocking: "" }), "blocking");
    await runtime.configure("orders-processor", {
      NODE_OPTIONS: `--import=file://${loader}`,
      BLOCK_WHILE: blocking,
    });
    const witness = await Witness.begin(lab);
    const ids = await witness.accept(IN_HAND);
    await waitFor("all to be in payment", async () => (await paying()) === ids.length);
    await runtime.kill("orders-processor", "SIGUSR2");
    // Only now: until then it would take some of the orders.
    const other = await lab.anotherProcessor(t, { NUM_WORKERS: String(IN_HAND) });
    await waitFor("all to be completed", async () => (await witness.completed(ids)) === ids.length, 30_000);
    const health = `${runtime.endpoint("orders-processor")}/health`;
    await t.rejects(
      fetch(health, { signal: AbortSignal.timeout(1000) }),
      "while the first one was still blocked",
    );
    await rm(blocking);
    // It wakes up, finds its payments answered and its leases gone, and goes on.
    await waitFor("it to answer again", async () => (await fetch(health)).ok, 30_000);
    other.signal("SIGTERM");
    t.equal((await other.ended).code, 0);
    await witness.accept(IN_HAND);
    const count = await witness.holds(t, "event-loop-blocked");
    t.equal(count.charges, 2 * IN_HAND);
    t.equal(count.completed, 2 * IN_HAND);
    t.ok(count.begun_again >= IN_HAND, "what it had in hand was delivered again");
    t.equal(count.dead_lettered, 0);
  });

  t.test("SIGTERM under load: what is in hand is finished, exit code 0 within the grace", async (t) => {
    await runtime.stop("orders-processor");
    const grace = 8;
    const processor = await lab.anotherProcessor(t, { SHUTDOWN_GRACE_SECONDS: String(grace) });
    const witness = await Witness.begin(lab);
    const accepting = witness.accept(5 * IN_HAND);
    await waitFor("some to be completed", async () => (await witness.charges()) >= IN_HAND);
    processor.signal("SIGTERM");
    const { code, seconds } = await processor.ended;
    t.equal(code, 0);
    t.ok(seconds < grace, `it took ${seconds.toFixed(1)} s of its ${grace} s`);
    const ids = await accepting;
    const { inFlight, visible, delayed } = await operator.depth();
    t.equal(inFlight, 0, "nothing is left in hands that are gone");
    t.equal(visible + delayed, ids.length - (await witness.completed(ids)), "the rest waits");
    t.ok(visible + delayed > 0, "it was under load");
    await runtime.start("orders-processor");
    const count = await witness.holds(t, "sigterm-under-load");
    t.equal(count.completed, ids.length);
    t.equal(count.begun_again, 0, "nothing was begun in vain");
  });

  // Last, since the processors that it leaves may have a poll open at their death, and hide for 60 s what that is given.
  t.test("SIGTERM with payments longer than the grace: handed back, and taken up at once", async (t) => {
    await runtime.stop("orders-processor");
    const long = { VISIBILITY_TIMEOUT_SECONDS: "60", PAYMENTS_URL: wires.payments.url };
    await wires.payments.delay(12_000);
    const grace = 8;
    const processor = await lab.anotherProcessor(t, { ...long, SHUTDOWN_GRACE_SECONDS: String(grace) });
    const witness = await Witness.begin(lab);
    const ids = await witness.accept(IN_HAND);
    await waitFor("all to be in payment", async () => (await paying()) === ids.length);
    processor.signal("SIGTERM");
    const { code, seconds } = await processor.ended;
    await wires.payments.heal();
    t.equal(code, 0);
    t.ok(seconds < grace + 1, `it took ${seconds.toFixed(1)} s of its ${grace} s`);
    t.equal(await inFlight(), 0, "nothing is hidden for the 60 s of the visibility timeout");
    const began = performance.now();
    await lab.anotherProcessor(t, long);
    await waitFor(
      "the others to be completed",
      async () => (await witness.completed(ids)) === ids.length,
      30_000,
    );
    t.ok(performance.now() - began < 30_000, "long before the visibility timeout would have ended");
    const count = await witness.holds(t, "sigterm-handed-back");
    t.equal(count.charges, ids.length);
    t.equal(count.begun_again, ids.length, "each was taken up once more");
  });
}
