/** The contracts behind synchronous orders: who settles what, what a cancelled charge is, what a key stands for. */

import { randomUUID } from "node:crypto";
import { Cancelled } from "@parallax/service";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { fingerprint } from "../../src/domain/order.ts";
import type { IdempotencyKeys, Leases, Ledger, SyncOrderStore } from "../../src/domain/ports.ts";
import { aCharge, anOrder } from "./stores-contract.ts";

/** Adds to `t` what is asked of a store of orders that are paid while their customers wait. */
export function syncStoreContract(t: Test, store: SyncOrderStore, leases: Leases): void {
  const instance = randomUUID();
  const keeper = { instance, settleAfterSeconds: 3600 };
  const isUnsettled = async (id: string) =>
    (await store.unsettled(1000)).some(({ order_id }) => order_id === id);

  t.test("an attempt abandons its order, unless a later one has been begun", async (t) => {
    const order = anOrder();
    const begin = () => store.begin(order, fingerprint(order), keeper);
    t.same(await begin(), { outcome: "begun", attempt: 1, promised: false });
    t.same(await begin(), { outcome: "begun", attempt: 2, promised: false });
    t.equal(await store.abandon(order.order_id, 1), false);
    t.match(await store.find(order.order_id), { status: "processing", attempts: 2 });
    t.equal(await store.abandon(order.order_id, 2), true);
    t.match(await store.find(order.order_id), { status: "abandoned", charge_id: undefined });
    t.equal(await store.abandon(order.order_id, 2), false, "once");
    t.same(await begin(), { outcome: "begun", attempt: 3, promised: false }, "it can be begun again");
    t.match(await store.find(order.order_id), { status: "processing" });
  });

  t.test("what a charge stands for is completed, also when it was abandoned", async (t) => {
    const order = anOrder();
    await store.begin(order, fingerprint(order), keeper);
    await store.abandon(order.order_id, 1);
    t.equal(await store.complete(aCharge(order.order_id)), "completed");
    t.match(await store.find(order.order_id), { status: "completed" });
    t.equal(await store.abandon(order.order_id, 1), false);
    t.same(await store.begin(order, fingerprint(order), keeper), { outcome: "completed" });
    t.match(await store.find(order.order_id), { status: "completed" });
  });

  t.test("what a queue has promised is never abandoned, whoever began it first", async (t) => {
    const [queued, waited] = [anOrder(), anOrder()];
    await store.begin(queued, fingerprint(queued));
    t.same(await store.begin(queued, fingerprint(queued), keeper), {
      outcome: "begun",
      attempt: 2,
      promised: true,
    });
    t.equal(await store.abandon(queued.order_id, 2), false);
    await store.begin(waited, fingerprint(waited), keeper);
    t.same(await store.begin(waited, fingerprint(waited)), { outcome: "begun", attempt: 2, promised: true });
    t.equal(await store.abandon(waited.order_id, 2), false);
    await leases.end(instance);
    t.notOk((await isUnsettled(queued.order_id)) || (await isUnsettled(waited.order_id)));
  });

  t.test("another order with the same id changes nothing", async (t) => {
    const order = anOrder();
    await store.begin(order, fingerprint(order), keeper);
    const other = anOrder(order.order_id, 3);
    t.same(await store.begin(other, fingerprint(other), keeper), { outcome: "conflict" });
    t.equal(await store.abandon(order.order_id, 1), true);
  });

  t.test("others settle what a dead keeper leaves, and what its keeper lets go", async (t) => {
    const order = anOrder();
    const id = order.order_id;
    await leases.renew(instance, 60);
    await store.begin(order, fingerprint(order), keeper);
    t.equal(await isUnsettled(id), false, "its keeper is alive");
    await leases.end(instance);
    t.equal(await isUnsettled(id), true);
    t.match(
      (await store.unsettled(1000)).find(({ order_id }) => order_id === id),
      { total_minor: 300, attempt: 1 },
    );
    await leases.renew(instance, 60);
    t.equal(await isUnsettled(id), false, "it was only late");
    await store.settleIn(0, { order_id: id, attempt: 2 });
    t.equal(await isUnsettled(id), false, "no attempt of this order");
    await store.settleIn(0, { order_id: id, attempt: 1 });
    t.equal(await isUnsettled(id), true);
    await store.settleIn(3600, { order_id: id, attempt: 1 });
    t.equal(await isUnsettled(id), false);
    await store.complete(aCharge(id));
    await store.settleIn(0, { order_id: id, attempt: 1 });
    t.equal(await isUnsettled(id), false, "it is settled");
  });

  t.test("a lease runs out", async (t) => {
    const order = anOrder();
    const short = { instance: randomUUID(), settleAfterSeconds: 3600 };
    await leases.renew(short.instance, 0.05);
    await store.begin(order, fingerprint(order), short);
    await waitFor("it to be found", () => isUnsettled(order.order_id));
    t.equal(await store.abandon(order.order_id, 1), true);
  });
}

/** Adds to `t` what is asked of a ledger that can be closed to an order. */
export function gateContract(t: Test, ledger: Ledger): void {
  t.test("closed to an attempt, and to all before it, not to the next", async (t) => {
    const id = randomUUID();
    t.same(await ledger.standing(id), { charge: undefined, closedThrough: 0 });
    t.equal(await ledger.close(id, 2), undefined);
    t.equal(await ledger.close(id, 1), undefined, "which opens nothing");
    t.same(await ledger.standing(id), { charge: undefined, closedThrough: 2 });
    for (const attempt of [1, 2]) await t.rejects(ledger.record(aCharge(id), attempt), Cancelled);
    t.equal(await ledger.find(id), undefined);
    const charge = await ledger.record(aCharge(id), 3);
    t.same(await ledger.standing(id), { charge, closedThrough: 2 });
  });

  t.test("a charge that stands is told, and closing changes nothing of it", async (t) => {
    const id = randomUUID();
    const charge = await ledger.record(aCharge(id), 1);
    t.same(await ledger.close(id, 5), charge);
    t.same(await ledger.record(aCharge(id), 1), charge, "the same charge again");
  });

  t.test("at the same moment, either the charge stands or closing has prevented it", async (t) => {
    for (let round = 0; round < 30; round += 1) {
      const id = randomUUID();
      const [recorded, closed] = await Promise.allSettled([
        round % 2 ? ledger.record(aCharge(id), 1) : ledger.close(id, 1),
        round % 2 ? ledger.close(id, 1) : ledger.record(aCharge(id), 1),
      ]).then((both) => (round % 2 ? both : both.toReversed()));
      const charge = closed?.status === "fulfilled" ? closed.value : t.fail("closing failed");
      t.equal(recorded?.status === "fulfilled", charge !== undefined, "both are told the same");
      t.equal((await ledger.find(id)) !== undefined, charge !== undefined, "and it is true");
    }
  });
}

/** Adds to `t` what is asked of idempotency keys. */
export function keysContract(t: Test, keys: IdempotencyKeys, leases: Leases): void {
  const instance = randomUUID();
  const request = (changes: object = {}) => ({
    key: randomUUID(),
    fingerprint: "f",
    orderId: "o-1",
    instance,
    lockSeconds: 60,
    retentionSeconds: 60,
    ...changes,
  });
  const answer = { status: 202, contentType: "application/json", location: "/orders/o-1", body: '{"a":"é"}' };

  t.test("taken once; running; then its answer, and no other's", async (t) => {
    await leases.renew(instance, 60);
    const it = request();
    t.same(await keys.take(it), { outcome: "taken", orderId: "o-1", attempt: 1 });
    t.same(await keys.take(it), { outcome: "running" });
    t.same(await keys.take({ ...it, fingerprint: "other" }), { outcome: "other" });
    await keys.finish(it.key, 1, answer);
    t.same(await keys.take(it), { outcome: "finished", answer });
    t.same(await keys.take({ ...it, fingerprint: "other" }), { outcome: "other" });
    await keys.finish(it.key, 1, { ...answer, status: 200, location: undefined });
    await keys.release(it.key, 1);
    t.same(await keys.take(it), { outcome: "finished", answer }, "the first answer stays");
  });

  t.test("of ten at once, one takes it", async (t) => {
    await leases.renew(instance, 60);
    const it = request();
    const taken = await Promise.all(Array.from({ length: 10 }, () => keys.take(it)));
    t.equal(taken.filter(({ outcome }) => outcome === "taken").length, 1);
    t.equal(taken.filter(({ outcome }) => outcome === "running").length, 9);
  });

  t.test("released, it is taken again with the order that was named first", async (t) => {
    await leases.renew(instance, 60);
    const it = request();
    await keys.take(it);
    await keys.release(it.key, 1);
    t.same(await keys.take({ ...it, orderId: "o-2" }), { outcome: "taken", orderId: "o-1", attempt: 2 });
    await keys.finish(it.key, 1, answer);
    await keys.release(it.key, 1);
    t.same(await keys.take(it), { outcome: "running" }, "the first attempt has no more say");
    const none = { ...answer, location: undefined };
    await keys.finish(it.key, 2, none);
    t.same(await keys.take(it), { outcome: "finished", answer: none });
  });

  t.test("taken over when its receiver is dead, or it is locked for too long", async (t) => {
    const dying = request({ instance: randomUUID() });
    await leases.renew(dying.instance, 60);
    await keys.take(dying);
    t.same(await keys.take({ ...dying, instance }), { outcome: "running" });
    await leases.end(dying.instance);
    t.match(await keys.take({ ...dying, instance }), { outcome: "taken", attempt: 2 });
    await leases.renew(instance, 60);
    const slow = request({ lockSeconds: 0.05 });
    await keys.take(slow);
    await waitFor("the lock to end", async () => (await keys.take(slow)).outcome === "taken");
  });

  t.test("out of retention it is a new key, and is cleaned away, so many at a time", async (t) => {
    await leases.renew(instance, 60);
    while ((await keys.clean(1000)) > 0);
    const old = request({ retentionSeconds: 0 });
    await keys.take(old);
    t.match(await keys.take({ ...old, fingerprint: "other", orderId: "o-2" }), {
      outcome: "taken",
      orderId: "o-2",
    });
    for (let more = 0; more < 4; more += 1) await keys.take(request({ retentionSeconds: 0 }));
    const kept = request();
    await keys.take(kept);
    t.same([await keys.clean(3), await keys.clean(3), await keys.clean(3)], [3, 2, 0]);
    t.same(await keys.take(kept), { outcome: "running" });
  });
}
