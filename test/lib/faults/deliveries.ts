/** Faults of delivery: duplicates out of order, poison, a receiver that dies before it has answered, many workers. */

import { randomUUID } from "node:crypto";
import { json } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { acceptOrder } from "../../../services/orders/src/domain/order.ts";
import { encodeOrder } from "../../../services/orders/src/domain/order-message.ts";
import { ownServer } from "../own-experiment.ts";
import { shuffled } from "./shuffled.ts";
import { untilRunning } from "./until-running.ts";
import { MAX_RECEIVE_COUNT, type WiredLab } from "./wired-lab.ts";
import { anOrder, spread, Witness } from "./witness.ts";

export const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Adds the stories to `t`, one subtest each. */
export function deliveryStories(t: Test, lab: WiredLab): void {
  t.test("each order five times, by two ways and out of order, is charged once", async (t) => {
    const seed = Number(process.env.FAULT_SEED ?? 20_261);
    t.comment(`FAULT_SEED=${seed}`);
    const witness = await Witness.begin(lab);
    const ids = Array.from({ length: 40 }, () => randomUUID());
    const publisher = lab.publisher(t);
    const direct = async (id: string) => {
      const order = acceptOrder(anOrder(id), id, new Date().toISOString());
      await publisher.publish(encodeOrder(order, TRACEPARENT));
    };
    const place = async (id: string) => void (await witness.place(id));
    const sends = [place, place, direct, direct, direct].flatMap((send) => ids.map((id) => () => send(id)));
    await spread(shuffled(sends, seed), 20, (send) => send());
    const count = await witness.holds(t, "duplicates-out-of-order");
    t.equal(count.accepted, ids.length);
    t.equal(count.completed, ids.length);
    t.ok(count.begun_again >= 4 * ids.length, "every copy was delivered");
    t.equal(count.dead_lettered, 0);
  });

  t.test("poison is dead-lettered after exactly maxReceiveCount receives, healthy orders pass", async (t) => {
    const witness = await Witness.begin(lab);
    const failures = () => lab.metric("orders-processor", "orders_consumer_errors_total", 'what="handle"');
    const before = await failures();
    const publisher = lab.publisher(t);
    const poison = ["{", "{}", '{"version":99,"order":{}}', "", "null"].map((body) => body || " ");
    const accepting = witness.accept(50);
    await Promise.all(poison.map((body) => publisher.publish({ body, attributes: {} })));
    const ids = await accepting;
    await waitFor(
      "all of it to be dead-lettered",
      async () => (await witness.deadLetters()) === poison.length,
      30_000,
    );
    const count = await witness.holds(t, "poison");
    t.equal(count.completed, ids.length);
    t.equal((await failures()) - before, MAX_RECEIVE_COUNT * poison.length);
    const bodies = (await lab.operator.deadLetters(100)).map(({ body }) => body);
    t.same(bodies.filter((body) => poison.includes(body)).sort(), [...poison].sort(), "bodies unchanged");
  });

  t.test(
    "what a broken dependency has dead-lettered is completed after its repair and a redrive",
    async (t) => {
      const witness = await Witness.begin(lab);
      const refusing = await refusingProvider(t);
      await lab.wires.payments.redirect(refusing.url);
      const ids = await witness.accept(10);
      await waitFor(
        "all to be dead-lettered",
        async () => (await witness.deadLetters()) === ids.length,
        30_000,
      );
      t.same(
        ids.map((id) => refusing.asked.get(id)),
        ids.map(() => MAX_RECEIVE_COUNT),
        "each was tried exactly that often",
      );
      t.equal(await witness.charges(), 0);

      await lab.wires.payments.redirect(lab.runtime.endpoint("orders-payments"));
      const { moved } = await lab.operator.redrive();
      t.ok(moved >= ids.length, `${moved} were sent back: these, and what else was dead-lettered`);
      await waitFor("all to be completed", async () => (await witness.completed(ids)) === ids.length, 30_000);
      const count = await witness.holds(t, "dead-letters-redriven");
      t.equal(count.charges, ids.length);
    },
  );

  t.test("the receiver is killed before it can answer; clients send again under the same id", async (t) => {
    const witness = await Witness.begin(lab);
    // What it publishes arrives, the broker's word that it has does not.
    await lab.wires.publishing.silence("downstream");
    const ids = Array.from({ length: 40 }, () => randomUUID());
    const first = Promise.all(ids.map((id) => witness.place(id)));
    await waitFor("all to be charged", async () => (await witness.charges()) === ids.length, 30_000);
    await lab.runtime.kill("orders-receiver", "SIGKILL");
    // A slow machine's receiver may have given the broker up before it was killed.
    const told = new Set(await first);
    t.ok(
      [...told].every((status) => status === 0 || status === 503),
      `no client was told 202: ${[...told]}`,
    );
    await lab.wires.publishing.heal();
    await spread(ids, 20, (id) => witness.insist(id));
    const count = await witness.holds(t, "sigkill-receiver-before-answer");
    t.equal(count.accepted, ids.length);
    t.equal(count.charges, ids.length);
    t.ok(count.begun_again >= ids.length, "each was delivered twice");
  });

  t.test("the receiver is killed again and again under clients that do not give up", async (t) => {
    const witness = await Witness.begin(lab);
    const ids: string[] = Array.from({ length: 100 }, () => randomUUID());
    // A key that a dead receiver was answering is free again when its lease has ended; who sends none need not wait.
    const keyOf = (id: string) => (ids.indexOf(id) % 2 === 0 ? { "idempotency-key": id } : {});
    const clients = spread(ids, 10, async (id) => {
      await witness.insist(id, keyOf(id));
      await pause(30);
    });
    for (const again of [false, true]) {
      // More than there are clients: the one that was killed before did not answer all of these.
      const enough = witness.answered(202) + 15;
      await waitFor("some to be accepted", () => witness.answered(202) >= enough, 30_000);
      if (again) await untilRunning(lab.runtime);
      await lab.runtime.kill("orders-receiver", "SIGKILL");
    }
    await clients;
    await untilRunning(lab.runtime);
    const count = await witness.holds(t, "sigkill-receiver-under-load");
    t.equal(count.accepted, ids.length);
    t.ok(witness.answered(0) > 0, "clients noticed it");
  });

  t.test("a hundred workers never have the provider make two payments at once", async (t) => {
    await Promise.all([
      lab.runtime.configure("orders-payments", { PAYMENT_CONCURRENCY: "1", PAYMENT_SECONDS: "0.02" }),
      lab.runtime.configure("orders-processor", { NUM_WORKERS: "100" }),
    ]);
    const witness = await Witness.begin(lab);
    const over = new AbortController();
    const watched = mostWaiting(lab, over.signal);
    try {
      const ids = await witness.accept(100);
      const count = await witness.holds(t, "100-workers-1-payment-at-once");
      t.equal(count.completed, ids.length);
    } finally {
      over.abort();
    }
    t.equal((await lab.api.ledgerSummary()).most_in_progress, 1);
    const most = await watched;
    t.ok(most > 20, `${most} payments waited in line at once`);
  });
}

/** The longest line before the provider until `over`. A look that fails is followed by another one. */
async function mostWaiting(lab: WiredLab, over: AbortSignal): Promise<number> {
  let most = 0;
  while (!over.aborted) {
    const look = await lab.api.ledgerSummary().catch(() => undefined);
    most = Math.max(most, look?.waiting ?? 0);
    await pause(10);
  }
  return most;
}

/** Stands in the provider's place and refuses every charge; counts what it was asked, by order id. */
async function refusingProvider(t: Test): Promise<{ url: string; asked: ReadonlyMap<string, number> }> {
  const asked = new Map<string, number>();
  const url = await ownServer(t, async (request, answer) => {
    const { order_id } = (await json(request)) as { order_id: string };
    asked.set(order_id, (asked.get(order_id) ?? 0) + 1);
    answer.writeHead(422, { "content-type": "application/json" }).end("{}");
  });
  return { url, asked };
}
