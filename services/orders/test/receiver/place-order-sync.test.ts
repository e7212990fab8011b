import { DependencyUnavailable } from "@parallax/service";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { MemoryOrderStore } from "../../src/adapters/memory-order-store.ts";
import { fingerprint } from "../../src/domain/order.ts";
import { anOrder, goodOrder, post, startBoth, startPayments, startReceiver } from "../helpers.ts";

t.test("200 with the completed order, as GET tells it; the charge is in the ledger", async (t) => {
  const { place, url, ledger, outcomes, broker } = await startBoth(t);
  ledger.release();
  const answer = await place("o-1");
  t.equal(answer.status, 200);
  t.equal(answer.headers.get("location"), "/orders/o-1");
  const order = (await answer.json()) as { charge_id: string };
  t.match(order, { order_id: "o-1", status: "completed", total_minor: 3998, attempts: 1 });
  t.same(order, await (await fetch(`${url}/orders/o-1`)).json());
  t.match(ledger.entries, [{ order_id: "o-1", amount_minor: 3998, charge_id: order.charge_id }]);
  t.match(await broker.depth(), { visible: 0 }, "nothing is published");
  t.same(await outcomes(), { completed: 1 });
});

t.test("without an id a UUIDv7 is made", async (t) => {
  const { place, ledger, charged } = await startBoth(t);
  ledger.release();
  const { order_id } = (await (await place(undefined)).json()) as { order_id: string };
  t.match(order_id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.same(charged(), [order_id]);
});

t.test("the same order again, later or at once: paid once, each is told; another one is 409", async (t) => {
  const { place, ledger, store, outcomes, charged } = await startBoth(t);
  const together = [place("o-1"), place("o-1"), place("o-1")];
  await waitFor("all three to be begun", async () => (await store.find("o-1"))?.attempts === 3);
  ledger.release();
  const orders: unknown[] = [];
  for (const answer of [...together, place("o-1")]) orders.push(await (await answer).json());
  const [{ charge_id } = { charge_id: "" }] = ledger.entries;
  for (const order of orders) t.match(order, { status: "completed", charge_id });
  t.same(charged(), ["o-1"]);
  const other = await place("o-1", {}, { customer_id: "somebody else" });
  t.equal(other.status, 409);
  t.match(await other.json(), { code: "CONFLICT", order_id: "o-1", errors: [{ field: "order_id" }] });
  t.same(await outcomes(), { completed: 3, already: 1, conflict: 1 });
});

t.test("drop: who hangs up in line is not charged, and can send the order again", async (t) => {
  const { place, placeAndHangUp, holdLine, inLine, ledger, charged, outcomes, status } = await startBoth(t);
  await holdLine();
  const hangUp = placeAndHangUp("o-1");
  await inLine();
  hangUp();
  await waitFor("it to be abandoned", async () => (await status("o-1")) === "abandoned");
  ledger.release();
  t.equal((await place("o-2")).status, 200);
  t.same(charged(), ["ahead", "o-2"]);
  t.same(await outcomes(), { abandoned_dropped: 1, completed: 1 });
  const again = await place("o-1");
  t.equal(again.status, 200);
  t.match(await again.json(), { status: "completed", attempts: 2 });
});

t.test("keep: who hangs up in line is charged all the same, and that is counted", async (t) => {
  const { desk, placeAndHangUp, holdLine, inLine, ledger, charged, outcomes, status } = await startBoth(
    t,
    {},
    { abandon: "keep" },
  );
  const calls = t.capture(desk, "pay", desk.pay);
  await holdLine();
  const hangUp = placeAndHangUp("o-1");
  await inLine();
  const [call] = calls();
  hangUp();
  await waitFor("the receiver to notice", () => call?.args[1].gone.aborted);
  t.same(await outcomes(), {}, "it goes on waiting");
  ledger.release();
  await waitFor("it to be completed", async () => (await status("o-1")) === "completed");
  t.same(charged(), ["ahead", "o-1"]);
  await waitFor("it to be counted", async () => (await outcomes()).abandoned_charged === 1);
});

t.test("drop: a payment that has begun is seen through when its customer hangs up", async (t) => {
  const { placeAndHangUp, begun, ledger, charged, outcomes, cancellations, status } = await startBoth(t);
  const hangUp = placeAndHangUp("o-1");
  await begun();
  hangUp();
  await waitFor("it to be too late", async () => (await cancellations()).in_progress === 1);
  t.equal(await status("o-1"), "processing");
  ledger.release();
  await waitFor("it to be completed", async () => (await status("o-1")) === "completed");
  t.same(charged(), ["o-1"]);
  await waitFor("it to be counted", async () => (await outcomes()).abandoned_charged === 1);
});

t.test("who waits too long is told so, and is not charged", async (t) => {
  const { place, holdLine, ahead, ledger, charged, outcomes, status } = await startBoth(
    t,
    {},
    { timeoutSeconds: 0.3 },
  );
  await holdLine();
  const late = await place("o-1");
  t.equal(late.status, 503);
  t.match(late.headers.get("retry-after"), /^\d+$/);
  t.match(await late.json(), { code: "DEPENDENCY_UNAVAILABLE", retryable: true, order_id: "o-1" });
  t.equal(await status("o-1"), "abandoned");
  t.same(await outcomes(), { timed_out: 1 });
  ledger.release();
  t.equal((await ahead())?.status, 201);
  t.same(charged(), ["ahead"]);
});

t.test("two requests for one order, one hangs up: the other is paid", async (t) => {
  const { place, placeAndHangUp, holdLine, inLine, ledger, store, charged } = await startBoth(t);
  await holdLine();
  const staying = place("o-1");
  await inLine();
  const hangUp = placeAndHangUp("o-1");
  const attempts = (count: number) =>
    waitFor(`${count} attempts`, async () => (await store.find("o-1"))?.attempts === count);
  await attempts(2);
  hangUp();
  // The later of the two takes both out of the line; the one whose customer waits stands in it again.
  await attempts(3);
  ledger.release();
  t.equal((await staying).status, 200);
  t.same(charged(), ["ahead", "o-1"]);
});

t.test("an order that a queue has promised is never abandoned", async (t) => {
  const { placeAndHangUp, holdLine, inLine, line, store, status, cancellations } = await startBoth(t);
  const order = anOrder({ order_id: "o-1", customer_id: goodOrder.customer_id, items: goodOrder.items });
  await store.begin(order, fingerprint(order));
  await holdLine();
  const hangUp = placeAndHangUp("o-1");
  await inLine();
  hangUp();
  await waitFor("it to leave the line", async () => (await line()).waiting === 0);
  t.equal(await status("o-1"), "processing", "its queue sees it through");
  t.same(await cancellations(), {});
  // As the processor does when it is delivered again.
  t.match(await store.begin(order, fingerprint(order)), { outcome: "begun", attempt: 3, promised: true });
});

t.test("payments down: 503 at once; the order is settled when they are back", async (t) => {
  const { url, store } = await startReceiver(t);
  const began = performance.now();
  const answer = await post(`${url}/orders/sync`, { ...goodOrder, order_id: "o-1" });
  t.ok(performance.now() - began < 5000);
  t.equal(answer.status, 503);
  t.equal(answer.headers.get("retry-after"), "2");
  t.match(await answer.json(), { code: "DEPENDENCY_UNAVAILABLE", retryable: true, order_id: "o-1" });
  t.match(await store.find("o-1"), { status: "processing" });
  const { url: paymentsUrl, ledger } = await startPayments(t);
  await startReceiver(t, { store, paymentsUrl });
  await waitFor(
    "another receiver to settle it",
    async () => (await store.find("o-1"))?.status === "abandoned",
  );
  t.equal(ledger.entries.length, 0);
});

t.test("a line that is full is 503 with the provider's Retry-After", async (t) => {
  const { place, holdLine, inLine, ledger, status } = await startBoth(t, { lineLimit: 1 });
  await holdLine();
  const waiting = place("o-1");
  await inLine();
  const refused = await place("o-2");
  t.equal(refused.status, 503);
  t.equal(refused.headers.get("retry-after"), "5");
  await waitFor("it to be settled", async () => (await status("o-2")) === "abandoned");
  ledger.release();
  t.equal((await waiting).status, 200);
});

t.test("customers beyond the limit are refused before anything is begun", async (t) => {
  const { place, begun, ledger, status, outcomes } = await startBoth(t, {}, { limit: 1 });
  const first = place("o-1");
  await begun();
  const refused = await place("o-2");
  t.equal(refused.status, 503);
  t.match(await refused.json(), { code: "OVERLOADED" });
  t.equal(await status("o-2"), undefined);
  ledger.release();
  t.equal((await first).status, 200);
  t.same(await outcomes(), { completed: 1, refused: 1 });
});

t.test("the database out: 503, nothing charged; between charge and commit: settled later", async (t) => {
  const { place, begun, store, ledger, charged, status } = await startBoth(t);
  store.out = true;
  t.equal((await place("o-1")).status, 503);
  store.out = false;
  const paying = place("o-2");
  await begun();
  store.out = true;
  ledger.release();
  t.equal((await paying).status, 503);
  t.same(charged(), ["o-2"]);
  store.out = false;
  await waitFor("it to be settled", async () => (await status("o-2")) === "completed");
});

t.test(
  "hung up, and the database out between charge and commit: counted as charged when settled",
  async (t) => {
    const { placeAndHangUp, begun, store, ledger, status, outcomes, settled, cancellations } =
      await startBoth(t);
    const hangUp = placeAndHangUp("o-1");
    await begun();
    hangUp();
    await waitFor("it to be too late", async () => (await cancellations()).in_progress === 1);
    store.out = true;
    ledger.release();
    await waitFor("its end to be unknown", async () => (await outcomes()).failed === 1);
    store.out = false;
    await waitFor("it to be counted", async () => Object.keys(await settled()).length > 0);
    t.equal(await status("o-1"), "completed");
    t.same(await settled(), { abandoned_charged: 1 });
    t.same(await outcomes(), { failed: 1 });
  },
);

t.test("completed, and the order cannot be read any more: counted once, as completed", async (t) => {
  class Unreadable extends MemoryOrderStore {
    override async find(): Promise<never> {
      throw new DependencyUnavailable("out");
    }
  }
  const { place, ledger, outcomes, charged } = await startBoth(t, {}, { store: new Unreadable() });
  ledger.release();
  const answer = await place("o-1");
  t.equal(answer.status, 503);
  t.match(await answer.json(), { retryable: true, order_id: "o-1" });
  t.same(charged(), ["o-1"]);
  t.same(await outcomes(), { completed: 1 });
});

t.test("the orders of a receiver that was killed are settled by another", async (t) => {
  const { store, status, paymentsUrl, ledger, charged: charges } = await startBoth(t);
  ledger.release();
  const keeper = { instance: "00000000-0000-0000-0000-000000000000", settleAfterSeconds: 3600 };
  const charged = anOrder({ order_id: "charged" });
  const waiting = anOrder({ order_id: "waiting" });
  await store.renew(keeper.instance, 60);
  await store.begin(charged, fingerprint(charged), keeper);
  await post(`${paymentsUrl}/payments`, { order_id: "charged", amount_minor: 3998, attempt: 1 });
  await store.begin(waiting, fingerprint(waiting), keeper);
  t.same(await store.unsettled(10), [], "while it lives, they are its own");
  await store.end(keeper.instance);
  await waitFor("one to be completed", async () => (await status("charged")) === "completed");
  await waitFor("the other to be abandoned", async () => (await status("waiting")) === "abandoned");
  const late = await post(`${paymentsUrl}/payments`, { order_id: "waiting", amount_minor: 3998, attempt: 1 });
  t.equal(late.status, 409, "its charge, arriving late, finds it closed");
  t.match(await late.json(), { code: "CANCELLED" });
  t.same(charges(), ["charged"]);
});

t.test("stopping gives up what has not begun and finishes what has", async (t) => {
  const { place, begun, inLine, desk, ledger, charged, status } = await startBoth(t);
  const paying = place("o-1");
  await begun();
  const waiting = place("o-2");
  await inLine();
  const stopped = desk.stop(30_000);
  t.equal((await waiting).status, 503);
  t.equal(await status("o-2"), "abandoned");
  const refused = await place("o-3");
  t.equal(refused.status, 503);
  t.match(await refused.json(), { code: "DEPENDENCY_UNAVAILABLE", retryable: true, order_id: "o-3" });
  t.equal(await status("o-3"), undefined, "it is not begun");
  ledger.release();
  t.equal((await paying).status, 200);
  await stopped;
  t.same(charged(), ["o-1"]);
});

t.test("what has not ended by the end of the grace period is left to whoever settles", async (t) => {
  const { place, begun, desk, ledger, status } = await startBoth(t);
  const paying = place("o-1");
  await begun();
  await desk.stop(10);
  t.ok((await paying).status >= 500);
  t.equal(await status("o-1"), "processing");
  ledger.release();
  await waitFor("it to be settled", async () => (await status("o-1")) === "completed");
});
