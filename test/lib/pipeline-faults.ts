/** Faults of the orders pipeline on containers, which are killed, frozen, cut off and started again: on every broker. */

import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { elapsed } from "./faults/elapsed.ts";
import { anOrder, spread, Witness } from "./faults/witness.ts";
import { MAX_RECEIVE_COUNT, type OrdersPipeline, VISIBILITY_SECONDS, WORKERS } from "./orders-pipeline.ts";

/** By then an order that is delivered in vain each time would be in the dead-letter queue. */
const LONG_OUTAGE_MS = (MAX_RECEIVE_COUNT * VISIBILITY_SECONDS + 1) * 1000;

/** Adds the stories to `t`, one subtest each. Everything runs before and after. */
export function pipelineFaults(t: Test, pipeline: OrdersPipeline): void {
  const { services, postgres, brokerContainer, operator } = pipeline;
  const processor = services["orders-processor"];

  t.test("the processor is killed after the payments and before their commit", async (t) => {
    const witness = await Witness.begin(pipeline);
    const lock = await pipeline.lockPayments();
    const ids = await witness.accept(WORKERS);
    await waitFor("all to be charged", async () => (await witness.charges()) === ids.length);
    t.equal(await witness.completed(ids), 0, "charged, and not committed");
    await processor.kill();
    t.equal(await witness.charges(), ids.length, "the charges stood at the kill");
    await lock[Symbol.asyncDispose]();
    await processor.start();
    const count = await witness.holds(t, "sigkill-after-payment");
    t.equal(count.completed, ids.length);
    t.equal(count.begun_again, ids.length, "each was delivered once more");
  });

  t.test("the processor is killed in the middle of its work and started again", async (t) => {
    const witness = await Witness.begin(pipeline);
    const ids = await witness.accept(100);
    await waitFor("some to be completed", async () => (await witness.completed(ids)) > 10);
    await processor.kill();
    const done = await witness.completed(ids);
    t.ok(done < ids.length, `it was killed in the middle: ${done} of ${ids.length} were completed`);
    await processor.start();
    const count = await witness.holds(t, "sigkill-under-load");
    t.equal(count.completed, ids.length);
  });

  t.test("the processor is frozen until its leases end: another one recovers its orders", async (t) => {
    const witness = await Witness.begin(pipeline);
    const lock = await pipeline.lockPayments();
    const ids = await witness.accept(WORKERS);
    await waitFor("all to be charged", async () => (await witness.charges()) === ids.length);
    await processor.freeze();
    await lock[Symbol.asyncDispose]();
    const other = await pipeline.another("orders-processor", "other-processor");
    await witness.drained();
    t.equal(await witness.completed(ids), ids.length, "while the first one is still frozen");
    await processor.thaw();
    await waitFor("it to go on", async () => (await fetch(`${pipeline.processorUrl}/health`)).ok, 30_000);
    await other.stop(30);
    const more = await witness.accept(WORKERS);
    const count = await witness.holds(t, "frozen-until-leases-end");
    t.equal(count.completed, ids.length + more.length);
    t.ok(count.begun_again >= ids.length, "what it had in hand was delivered again");
  });

  t.test("the receiver is killed under clients that do not give up", async (t) => {
    const witness = await Witness.begin(pipeline);
    let killed = false;
    const client = async () => {
      let orders = 0;
      for (; !killed; orders += 1) {
        await witness.insist(randomUUID());
        await pause(30);
      }
      return orders;
    };
    const clients = Promise.all(Array.from({ length: 10 }, client));
    await waitFor("some to be accepted", () => witness.answered(202) > 10, 30_000);
    await services["orders-receiver"].kill();
    await waitFor("clients to notice", () => witness.answered(0) > 0);
    killed = true;
    await services["orders-receiver"].start();
    const orders = (await clients).reduce((sum, each) => sum + each, 0);
    const count = await witness.holds(t, "sigkill-receiver-under-load");
    t.equal(count.accepted, orders);
  });

  t.test("payments are stopped and come back: orders wait, none is dead-lettered", async (t) => {
    const witness = await Witness.begin(pipeline);
    t.equal((await services["orders-payments"].stop(30)).exitCode, 0);
    const ids = await witness.accept(3 * WORKERS);
    await elapsed(LONG_OUTAGE_MS);
    await services["orders-payments"].start();
    await waitFor("all to be completed", async () => (await witness.completed(ids)) === ids.length, 30_000);
    const count = await witness.holds(t, "payments-down");
    t.equal(count.dead_lettered, 0);
    t.same(new Set((await pipeline.receiveCounts(ids)).values()), new Set([1]), "each was received once");
  });

  t.test("payments are frozen for longer than the visibility timeout: delivered once, no twin", async (t) => {
    const witness = await Witness.begin(pipeline);
    await services["orders-payments"].freeze();
    const ids = await witness.accept(WORKERS);
    await elapsed(VISIBILITY_SECONDS * 2500);
    await services["orders-payments"].thaw();
    const count = await witness.holds(t, "payments-slower-than-visibility");
    t.equal(count.completed, ids.length);
    t.equal(count.begun_again, 0);
    t.same(new Set((await pipeline.receiveCounts(ids)).values()), new Set([1]), "each was received once");
  });

  t.test("a hundred workers never have the provider make two payments at once", async (t) => {
    const alias = "one-at-a-time";
    const payments = await pipeline.another("orders-payments", alias, {
      PAYMENT_CONCURRENCY: "1",
      PAYMENT_SECONDS: "0.02",
    });
    await processor.stop(30);
    const hundred = await pipeline.another("orders-processor", "hundred-workers", {
      NUM_WORKERS: "100",
      PAYMENTS_URL: `http://${alias}:8090`,
    });
    const witness = await Witness.begin(pipeline);
    const ids = await witness.accept(60);
    const count = await witness.holds(t, "100-workers-1-payment-at-once");
    t.equal(count.completed, ids.length);
    const summary = await fetch(`http://127.0.0.1:${payments.port(8090)}/ledger/summary`);
    t.match(await summary.json(), { most_in_progress: 1 });
    t.equal((await hundred.stop(30)).exitCode, 0);
    await processor.start();
  });

  t.test("Postgres is stopped and comes back: orders are accepted all the same", async (t) => {
    const witness = await Witness.begin(pipeline);
    const before = await witness.accept(20);
    const { exitCode } = await postgres.stop(15);
    t.equal(exitCode, 0);
    const meanwhile = await witness.accept(20);
    t.equal((await fetch(`${pipeline.receiverUrl}/orders/${meanwhile[0]}`)).status, 503);
    await elapsed(LONG_OUTAGE_MS);
    await postgres.start();
    const count = await witness.holds(t, "postgres-stopped");
    t.equal(count.completed, before.length + meanwhile.length);
    t.equal(count.dead_lettered, 0);
  });

  t.test("the broker is cut off from the network and comes back: nothing acknowledged is lost", async (t) => {
    const witness = await Witness.begin(pipeline);
    await witness.accept(40);
    await brokerContainer.disconnect();
    const unknown = randomUUID();
    const answer = await pipeline.post(anOrder(unknown));
    t.equal(answer.status, 503);
    t.match(answer.headers.get("retry-after"), /^\d+$/);
    t.match(await answer.json(), { retryable: true, order_id: unknown });
    await brokerContainer.reconnect();
    // As the answer asks. The kernel may have delivered the first one after all, once the network was back.
    await witness.insist(unknown);
    const count = await witness.holds(t, "broker-cut-off");
    t.equal(count.dead_lettered, 0);
  });

  t.test("each service stops in order under load: exit code 0 within its grace", async (t) => {
    const witness = await Witness.begin(pipeline);
    const ids = await witness.accept(60);
    for (const name of ["orders-processor", "orders-receiver", "orders-payments"] as const) {
      const { Config } = await services[name].inspect();
      const grace = Number(
        Config.Env.find((line) => line.startsWith("SHUTDOWN_GRACE_SECONDS="))?.split("=")[1],
      );
      const { exitCode, seconds } = await services[name].stop(grace + 5);
      t.equal(exitCode, 0, name);
      t.ok(seconds < grace, `${name} took ${seconds.toFixed(1)} s of its ${grace} s`);
      if (name === "orders-processor")
        t.equal((await operator.depth()).inFlight, 0, "nothing is left in its hands");
    }
    await services["orders-payments"].start();
    await Promise.all([processor.start(), services["orders-receiver"].start()]);
    const count = await witness.holds(t, "sigterm-under-load");
    t.equal(count.completed, ids.length);
    t.equal(count.begun_again, 0, "nothing was begun in vain");
  });
}

/** Orders that are queued while the processor is stopped and `end` ends the broker, and later ones. */
export async function acrossRestart(
  pipeline: OrdersPipeline,
  end: () => Promise<unknown>,
  later: number,
): Promise<{ witness: Witness; queued: string[] }> {
  const processor = pipeline.services["orders-processor"];
  const witness = await Witness.begin(pipeline);
  await processor.stop(30);
  const queued = await witness.accept(20);
  await end();
  await pipeline.brokerContainer.start();
  await processor.start();
  const ids = Array.from({ length: later }, () => randomUUID());
  await spread(ids, 10, (id) => witness.insist(id));
  return { witness, queued };
}
