/** What the pipeline needs goes down, is slow or answers nonsense, for longer than it takes to be dead-lettered. */

import { randomUUID } from "node:crypto";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { ownServer } from "../own-experiment.ts";
import { elapsed } from "./elapsed.ts";
import { LONG_OUTAGE_MS, VISIBILITY_SECONDS, type WiredLab } from "./wired-lab.ts";
import { anOrder, spread, Witness } from "./witness.ts";

const WORKERS = 10;
const ORDERS = 40;

/** Adds the stories to `t`, one subtest each; for a lab with `WORKERS` workers. */
export function outageStories(t: Test, lab: WiredLab): void {
  const { wires, runtime, operator } = lab;

  /** Orders come in while `out` is true; none is begun in vain, none is dead-lettered, all are paid once after it. */
  async function waitOut(t: Test, fault: string, outage: { begin(): unknown; end(): unknown }) {
    const witness = await Witness.begin(lab);
    await outage.begin();
    const ids = await witness.accept(ORDERS);
    t.equal(ids.length, ORDERS, "all are accepted all the same");
    await waitFor("the breaker to open", () => breakerOpen(lab));
    await elapsed(LONG_OUTAGE_MS);
    const { visible } = await operator.depth();
    t.ok(visible >= ORDERS - 2 * WORKERS, `receives have stopped: ${visible} of ${ORDERS} are untouched`);
    t.equal(await witness.deadLetters(), 0);
    await outage.end();
    await waitFor("all to be completed", async () => (await witness.completed(ids)) === ids.length, 30_000);
    const count = await witness.holds(t, fault);
    t.equal(count.charges, ORDERS);
    t.equal(count.dead_lettered, 0);
    t.same(new Set((await lab.receiveCounts(ids)).values()), new Set([1]), "each was received once");
    t.equal(await breakerOpen(lab), false);
  }

  t.test("payments are down: receives stop, no order is dead-lettered", (t) =>
    waitOut(t, "payments-down", {
      begin: () => runtime.stop("orders-payments"),
      end: () => runtime.start("orders-payments"),
    }),
  );

  t.test("payments answer 500: receives stop, and the provider is not hammered", async (t) => {
    let asked = 0;
    const broken = await ownServer(t, (_, answer) => {
      asked += 1;
      answer.writeHead(500, { "content-type": "application/json" }).end("{}");
    });
    await waitOut(t, "payments-answer-500", {
      begin: () => wires.payments.redirect(broken),
      end: () => wires.payments.redirect(runtime.endpoint("orders-payments")),
    });
    t.ok(asked > 0 && asked < 5 * WORKERS, `it was asked ${asked} times in all that time`);
  });

  t.test("payments are slow: orders take their time and are delivered once", async (t) => {
    await wires.payments.delay(VISIBILITY_SECONDS * 1500);
    const witness = await Witness.begin(lab);
    const ids = await witness.accept(WORKERS);
    const count = await witness.holds(t, "payments-slow");
    await wires.payments.heal();
    t.equal(count.completed, ids.length);
    t.equal(count.begun_again, 0);
    t.same(new Set((await lab.receiveCounts(ids)).values()), new Set([1]), "each was received once");
  });

  t.test("Postgres is killed: orders are accepted all the same and completed when it is back", (t) =>
    waitOut(t, "postgres-sigkill", {
      async begin() {
        await runtime.kill("postgres", "SIGKILL");
        const answer = await fetch(`${lab.receiverUrl}/orders/${randomUUID()}`);
        t.equal(answer.status, 503);
        t.match(answer.headers.get("retry-after"), /^\d+$/);
        t.match(await answer.json(), { code: "DEPENDENCY_UNAVAILABLE", retryable: true });
      },
      end: () => runtime.start("postgres"),
    }),
  );

  t.test("Postgres is silent for the processor alone, in the middle of its work", async (t) => {
    const witness = await Witness.begin(lab);
    const accepting = witness.accept(ORDERS);
    await waitFor("some to be charged", async () => (await witness.charges()) > 5);
    await wires.database.silence();
    const ids = await accepting;
    await elapsed(VISIBILITY_SECONDS * 2000);
    await wires.database.heal();
    const count = await witness.holds(t, "postgres-silent");
    t.equal(count.completed, ids.length);
    t.equal(count.dead_lettered, 0);
  });

  t.test(
    "the broker is cut off by a silent network: 503 with Retry-After, and nothing accepted is lost",
    async (t) => {
      const witness = await Witness.begin(lab);
      const accepting = witness.accept(ORDERS);
      await waitFor("some to be charged", async () => (await witness.charges()) > 5);
      await Promise.all([wires.queue.silence(), wires.publishing.silence()]);
      await accepting;
      const began = performance.now();
      const refused = randomUUID();
      const answer = await fetch(`${lab.receiverUrl}/orders/async`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(anOrder(refused)),
      });
      t.equal(answer.status, 503);
      t.match(answer.headers.get("retry-after"), /^\d+$/);
      t.equal(answer.headers.get("content-type"), "application/problem+json");
      t.match(await answer.json(), { retryable: true, order_id: refused });
      t.ok(performance.now() - began < 10_000, "within the patience of a client");
      t.equal((await fetch(`${lab.receiverUrl}/health`)).status, 200, "the service itself goes on");
      await waitFor(
        "readiness to tell",
        async () => (await fetch(`${lab.receiverUrl}/health/ready`)).status === 503,
      );
      await Promise.all([wires.queue.heal(), wires.publishing.heal()]);
      // As the answer asks.
      const unanswered = new Set(witness.answers.filter(({ status }) => status !== 202).map(({ id }) => id));
      await spread([refused, ...unanswered], 10, (id) => witness.insist(id));
      const count = await witness.holds(t, "broker-silent");
      t.equal(count.dead_lettered, 0);
    },
  );

  t.test("payments and the broker are out at once, until all leases have ended", async (t) => {
    const witness = await Witness.begin(lab);
    await wires.payments.cut();
    const ids = await witness.accept(ORDERS);
    await waitFor("the breaker to open", () => breakerOpen(lab));
    await wires.queue.silence();
    // Nobody of those who waited for payments is left then, who could find out that they are back.
    await elapsed(VISIBILITY_SECONDS * 2000);
    await Promise.all([wires.payments.heal(), wires.queue.heal()]);
    const count = await witness.holds(t, "payments-and-broker-out");
    t.equal(count.completed, ids.length);
    t.equal(count.dead_lettered, 0);
    t.equal(await breakerOpen(lab), false);
  });

  if (lab.broker === "sns-sqs") forgetfulBroker(t, lab);
  else for (const how of ["SIGTERM", "SIGKILL"] as const) lastingBroker(t, lab, how);
}

/** fauxqs keeps nothing: AWS would have kept all of it. */
function forgetfulBroker(t: Test, lab: WiredLab): void {
  const { runtime, brokerPart } = lab;

  t.test("the emulator is killed: what was queued is gone and told, later orders flow again", async (t) => {
    await runtime.stop("orders-processor");
    const witness = await Witness.begin(lab);
    const queued = await witness.accept(20);
    await runtime.kill(brokerPart, "SIGKILL");
    const refused = randomUUID();
    t.equal(await witness.place(refused), 503);
    await runtime.start(brokerPart);
    // Topic and queue are made again by whoever needs them first.
    await runtime.start("orders-processor");
    const later = Array.from({ length: 20 }, () => randomUUID());
    await spread(later, 10, (id) => witness.insist(id));
    const count = await witness.tells(t, "broker-sigkill-keeps-nothing", queued.length);
    t.equal(count.completed, later.length);
    t.equal(await witness.completed([refused]), 0, "what was refused is not half accepted");
  });
}

/** Redis writes each command to its append-only file before it answers. */
function lastingBroker(t: Test, lab: WiredLab, how: "SIGTERM" | "SIGKILL"): void {
  const { runtime, brokerPart } = lab;

  t.test(`Redis is ended by ${how} and started again: nothing queued or in hand is lost`, async (t) => {
    const witness = await Witness.begin(lab);
    const accepting = witness.accept(100);
    await waitFor("some to be charged", async () => (await witness.charges()) > 10);
    if (how === "SIGKILL") await runtime.kill(brokerPart, "SIGKILL");
    else await runtime.stop(brokerPart);
    await accepting;
    t.ok((await witness.charges()) < 100, "it was in the middle");
    const refused = randomUUID();
    t.equal(await witness.place(refused), 503);
    await runtime.start(brokerPart);
    const unanswered = new Set(witness.answers.filter(({ status }) => status !== 202).map(({ id }) => id));
    await spread([...unanswered], 10, (id) => witness.insist(id));
    const count = await witness.holds(t, `broker-${how.toLowerCase()}-keeps-all`);
    t.equal(count.dead_lettered, 0);
  });
}

async function breakerOpen(lab: WiredLab): Promise<boolean> {
  return (await lab.metric("orders-processor", "orders_breaker_open")) === 1;
}
