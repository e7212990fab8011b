import { waitFor } from "@parallax/testkit";
import t from "tap";
import { fingerprint } from "../../src/domain/order.ts";
import { anOrder, goodOrder, type PaymentsSettings, post, startPayments, startReceiver } from "../helpers.ts";

type Receiver = Parameters<typeof startReceiver>[1];

/** A receiver before a payment provider, and what was counted of its outcomes. */
async function startBoth(t: Test, payments: PaymentsSettings = {}, receiver: Receiver = {}) {
  const provider = await startPayments(t, payments);
  const it = await startReceiver(t, { ...receiver, paymentsUrl: provider.url });
  const place = (id: string | undefined, init: RequestInit = {}, changes: object = {}) =>
    fetch(`${it.url}/orders/sync`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...goodOrder, ...(id && { order_id: id }), ...changes }),
      ...init,
    });
  const outcomes = async () => {
    const text = await it.metrics.registry.metrics();
    const lines = text.matchAll(/^orders_sync_total\{.*outcome="(\w+)".*\} (\d+)$/gm);
    return Object.fromEntries([...lines].map(([, outcome, count]) => [outcome, Number(count)]));
  };
  const status = async (id: string) => (await it.store.find(id))?.status;
  const line = async () =>
    (await (await fetch(`${provider.url}/ledger/summary`)).json()) as Record<string, number>;
  /** Resolves once `id` stands in the provider's line; whoever calls the result hangs up. */
  const standInLine = async (id: string) => {
    const gone = new AbortController();
    const before = (await line()).waiting;
    const answer = place(id, { signal: gone.signal });
    answer.catch(() => {});
    await waitFor("it to stand in line", async () => (await line()).waiting === (before ?? 0) + 1);
    return () => gone.abort();
  };
  return { ...provider, ...it, paymentsUrl: provider.url, place, outcomes, status, line, standInLine };
}

type Test = Parameters<typeof startPayments>[0];

t.test("200 with the completed order, as GET tells it; the charge is in the ledger", async (t) => {
  const { place, url, ledger, outcomes, broker } = await startBoth(t);
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
  const { place, ledger } = await startBoth(t);
  const { order_id } = (await (await place(undefined)).json()) as { order_id: string };
  t.match(order_id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.match(ledger.entries, [{ order_id }]);
});

t.test("the same order again, later or at once: paid once, each is told; another one is 409", async (t) => {
  const { place, ledger, outcomes } = await startBoth(t, { paymentSeconds: 0.1 });
  const answers = await Promise.all([place("o-1"), place("o-1"), place("o-1")]);
  const orders = (await Promise.all([...answers, await place("o-1")].map((each) => each.json()))) as {
    status: string;
    charge_id: string;
  }[];
  for (const order of orders) t.match(order, { status: "completed", charge_id: orders[0]?.charge_id });
  t.equal(ledger.entries.length, 1);
  const other = await place("o-1", {}, { customer_id: "somebody else" });
  t.equal(other.status, 409);
  t.match(await other.json(), { code: "CONFLICT", order_id: "o-1", errors: [{ field: "order_id" }] });
  t.equal(ledger.entries.length, 1);
  t.match(await outcomes(), { already: 1, conflict: 1 });
});

t.test(
  "drop: who hangs up in line is not charged; the order is abandoned, and can be sent again",
  async (t) => {
    const { place, ledger, outcomes, status, standInLine } = await startBoth(t, {
      concurrency: 1,
      paymentSeconds: 0.3,
    });
    const ahead = place("o-1");
    await waitFor("the first one to be begun", async () => (await status("o-1")) === "processing");
    const hangUp = await standInLine("o-2");
    hangUp();
    await waitFor("it to be abandoned", async () => (await status("o-2")) === "abandoned");
    t.equal((await ahead).status, 200);
    t.equal((await place("o-3")).status, 200);
    t.same(
      ledger.entries.map(({ order_id }) => order_id),
      ["o-1", "o-3"],
    );
    t.match(await outcomes(), { abandoned_dropped: 1, completed: 2 });
    const again = await place("o-2");
    t.equal(again.status, 200);
    t.match(await again.json(), { status: "completed", attempts: 2 });
  },
);

t.test("keep: who hangs up in line is charged all the same, and that is counted", async (t) => {
  const { place, ledger, outcomes, status, standInLine } = await startBoth(
    t,
    { concurrency: 1, paymentSeconds: 0.2 },
    { abandon: "keep" },
  );
  const ahead = place("o-1");
  await waitFor("the first one to be begun", async () => (await status("o-1")) === "processing");
  (await standInLine("o-2"))();
  await ahead;
  await waitFor("it to be completed", async () => (await status("o-2")) === "completed");
  t.same(
    ledger.entries.map(({ order_id }) => order_id),
    ["o-1", "o-2"],
  );
  await waitFor("it to be counted", async () => (await outcomes()).abandoned_charged === 1);
});

t.test("drop: a payment that has begun is seen through when its customer hangs up", async (t) => {
  const { place, ledger, outcomes, status, line } = await startBoth(t, { paymentSeconds: 0.3 });
  const gone = new AbortController();
  place("o-1", { signal: gone.signal }).catch(() => {});
  await waitFor("it to begin", async () => (await line()).in_progress === 1);
  gone.abort();
  await waitFor("it to be completed", async () => (await status("o-1")) === "completed");
  t.equal(ledger.entries.length, 1);
  await waitFor("it to be counted", async () => (await outcomes()).abandoned_charged === 1);
});

t.test("who waits too long is told so, and is not charged", async (t) => {
  const { place, ledger, outcomes, status } = await startBoth(
    t,
    { concurrency: 1, paymentSeconds: 1.5 },
    { timeoutSeconds: 0.3 },
  );
  const ahead = place("o-1");
  await waitFor("the first one to be begun", async () => (await status("o-1")) === "processing");
  const late = await place("o-2");
  t.equal(late.status, 503);
  t.match(late.headers.get("retry-after"), /^\d+$/);
  t.match(await late.json(), { code: "DEPENDENCY_UNAVAILABLE", retryable: true, order_id: "o-2" });
  t.equal(await status("o-2"), "abandoned");
  t.equal((await ahead).status, 200, "the one that has begun is seen through");
  t.same(await outcomes(), { completed: 1, timed_out: 1 });
  t.equal(ledger.entries.length, 1);
});

t.test("two requests for one order, one hangs up: the other is paid", async (t) => {
  const { place, ledger, store, status } = await startBoth(t, { concurrency: 1, paymentSeconds: 0.5 });
  const ahead = place("o-1");
  await waitFor("the first one to be begun", async () => (await status("o-1")) === "processing");
  const staying = place("o-2");
  await waitFor("the second one to be begun", async () => (await status("o-2")) === "processing");
  const gone = new AbortController();
  place("o-2", { signal: gone.signal }).catch(() => {});
  await waitFor("its twin to be begun", async () => (await store.find("o-2"))?.attempts === 2);
  gone.abort();
  t.equal((await staying).status, 200);
  await ahead;
  t.equal(ledger.entries.length, 2);
});

t.test("an order that a queue has promised is never abandoned", async (t) => {
  const { place, store, status, ledger, line } = await startBoth(t, { concurrency: 1, paymentSeconds: 0.3 });
  const order = anOrder({ order_id: "o-2", customer_id: goodOrder.customer_id, items: goodOrder.items });
  await store.begin(order, fingerprint(order));
  const ahead = place("o-1");
  await waitFor("the first payment", async () => (await line()).in_progress === 1);
  const gone = new AbortController();
  const leaving = place("o-2", { signal: gone.signal });
  await waitFor("it to stand in line", async () => (await line()).waiting === 1);
  gone.abort();
  await t.rejects(leaving);
  await ahead;
  await waitFor("the line to be empty", async () => (await line()).waiting === 0);
  t.equal(await status("o-2"), "processing", "its queue sees it through");
  t.equal(ledger.entries.length, 1);
  // As the processor does.
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
  const { place, status, line } = await startBoth(t, { concurrency: 1, lineLimit: 1, paymentSeconds: 0.4 });
  const both = [place("o-1"), place("o-2")];
  await waitFor("the line to be full", async () => (await line()).waiting === 1);
  const refused = await place("o-3");
  t.equal(refused.status, 503);
  t.equal(refused.headers.get("retry-after"), "5");
  t.same(
    (await Promise.all(both)).map(({ status }) => status),
    [200, 200],
  );
  await waitFor("it to be settled", async () => (await status("o-3")) === "abandoned");
});

t.test("customers beyond the limit are refused before anything is begun", async (t) => {
  const { place, status, line, outcomes } = await startBoth(t, { paymentSeconds: 0.3 }, { limit: 1 });
  const first = place("o-1");
  await waitFor("the first payment", async () => (await line()).in_progress === 1);
  const refused = await place("o-2");
  t.equal(refused.status, 503);
  t.match(await refused.json(), { code: "OVERLOADED" });
  t.equal(await status("o-2"), undefined);
  await first;
  t.same(await outcomes(), { completed: 1, refused: 1 });
});

t.test(
  "the database out: 503, nothing is charged; out between charge and commit: settled later",
  async (t) => {
    const { place, store, ledger, status, line } = await startBoth(t, { paymentSeconds: 0.2 });
    store.out = true;
    t.equal((await place("o-1")).status, 503);
    store.out = false;
    const paying = place("o-2");
    await waitFor("the payment", async () => (await line()).in_progress === 1);
    store.out = true;
    t.equal((await paying).status, 503);
    t.same(
      ledger.entries.map(({ order_id }) => order_id),
      ["o-2"],
    );
    store.out = false;
    await waitFor("it to be settled", async () => (await status("o-2")) === "completed");
  },
);

t.test("the orders of a receiver that was killed are settled by another", async (t) => {
  const { store, status, paymentsUrl, ledger } = await startBoth(t);
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
  t.equal(ledger.entries.length, 1);
});
