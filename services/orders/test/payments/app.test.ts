import { waitFor } from "@parallax/testkit";
import t from "tap";
import { HeldLedger, post, startPayments } from "../helpers.ts";

const order = (id: string, amount_minor = 100) => ({ order_id: id, amount_minor });

async function json(url: string, status = 200): Promise<Record<string, unknown>> {
  const response = await fetch(url);
  if (response.status !== status) throw new Error(`${url} answers ${response.status}`);
  return (await response.json()) as Record<string, unknown>;
}

t.test("201 the first time, 200 with the same charge after that, 409 for another amount", async (t) => {
  const { url } = await startPayments(t);
  const first = await post(`${url}/payments`, order("o-1"));
  t.equal(first.status, 201);
  const charge = await first.json();
  const again = await post(`${url}/payments`, order("o-1"));
  t.equal(again.status, 200);
  t.same(await again.json(), charge);
  const other = await post(`${url}/payments`, order("o-1", 1));
  t.equal(other.status, 409);
  t.match(await other.json(), { code: "CONFLICT", errors: [{ field: "amount_minor" }] });
  t.same(await json(`${url}/ledger/o-1`), charge);
  for (const id of ["o-2", "%00", "a%2Fb", "x".repeat(65)]) {
    t.match(await json(`${url}/ledger/${id}`, 404), { code: "NOT_FOUND" }, id);
  }
});

t.test("the ledger is read page by page, oldest first, each charge once", async (t) => {
  const { url } = await startPayments(t);
  t.same(await json(`${url}/ledger`), { charges: [], next_after: null });
  const ids = Array.from({ length: 25 }, (_, n) => `o-${n}`);
  for (const id of ids) await post(`${url}/payments`, order(id));
  const seen: string[] = [];
  const sizes: number[] = [];
  let after: unknown = 0;
  while (after !== null) {
    const page = await json(`${url}/ledger?after=${after}&limit=10`);
    const charges = page.charges as { order_id: string }[];
    seen.push(...charges.map(({ order_id }) => order_id));
    sizes.push(charges.length);
    after = page.next_after;
  }
  t.same(seen, ids);
  t.same(sizes, [10, 10, 5]);
});

t.test("the summary adds up what was charged", async (t) => {
  const { url } = await startPayments(t);
  for (const id of ["o-1", "o-2", "o-2"]) await post(`${url}/payments`, order(id, 250));
  t.match(await json(`${url}/ledger/summary`), {
    charges: 2,
    amount_minor: 500,
    last_seq: 2,
    waiting: 0,
    in_progress: 0,
    most_in_progress: 1,
  });
});

t.test("a bad query or body is 422 that names the field", async (t) => {
  const { url, ledger } = await startPayments(t);
  const queries = [
    "limit=0",
    "limit=1001",
    "limit=ten",
    "limit=1&limit=2",
    "limit=",
    "after=-1",
    "after=1.5",
    "after=1e99",
  ];
  for (const query of [...queries, "page=2", "__proto__=1"]) {
    const response = await fetch(`${url}/ledger?${query}`);
    t.equal(response.status, 422, query);
    t.match(await response.json(), { errors: [{ field: query.split("=")[0] }] }, query);
  }
  const bodies = { amount_minor: [1.5, -1, 1e15, "1", null], order_id: ["", "a/b", 7, "x".repeat(65)] };
  for (const [field, values] of Object.entries(bodies)) {
    for (const value of values) {
      const response = await post(`${url}/payments`, { ...order("o-1"), [field]: value });
      t.equal(response.status, 422, `${field}: ${value}`);
      t.match(await response.json(), { errors: [{ field }] });
    }
  }
  t.equal(ledger.entries.length, 0);
});

t.test("a caller who hangs up in line is not charged; the line is open to the next", async (t) => {
  const ledger = new HeldLedger();
  const { url } = await startPayments(t, { concurrency: 1, ledger });
  const ahead = post(`${url}/payments`, order("o-1"));
  const waiting = (count: number) => async () => (await json(`${url}/ledger/summary`)).waiting === count;
  await waitFor("the first payment", async () => (await json(`${url}/ledger/summary`)).in_progress === 1);
  const abort = new AbortController();
  const init = { method: "POST", signal: abort.signal, headers: { "content-type": "application/json" } };
  const hungUp = fetch(`${url}/payments`, { ...init, body: JSON.stringify(order("o-2")) });
  hungUp.catch(() => {});
  await waitFor("it to wait in line", waiting(1));
  abort.abort();
  await t.rejects(hungUp);
  await waitFor("it to leave the line", waiting(0));
  ledger.release();
  t.equal((await ahead).status, 201);
  t.equal((await post(`${url}/payments`, order("o-3"))).status, 201);
  t.same(
    ledger.entries.map(({ order_id }) => order_id),
    ["o-1", "o-3"],
  );
});

t.test("a full line answers 503 with Retry-After, health goes on", async (t) => {
  const ledger = new HeldLedger();
  const { url } = await startPayments(t, { concurrency: 1, lineLimit: 1, ledger });
  const answers = ["a", "b", "c"].map((id) => post(`${url}/payments`, order(id)));
  const refused = await Promise.race(answers);
  t.equal(refused.status, 503);
  t.equal(refused.headers.get("retry-after"), "5");
  t.match(await json(`${url}/health/ready`), { checks: { ledger: "ok" } });
  ledger.release();
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  t.same(statuses.sort(), [201, 201, 503]);
});

t.test("DELETE takes a payment out of the line for good; bad attempts and ids are told", async (t) => {
  const ledger = new HeldLedger();
  const { url } = await startPayments(t, { concurrency: 1, ledger });
  const cancel = (id: string, query: string) => fetch(`${url}/payments/${id}${query}`, { method: "DELETE" });
  const summary = () => json(`${url}/ledger/summary`);
  const ahead = post(`${url}/payments`, order("o-1"));
  await waitFor("the first payment", async () => (await summary()).in_progress === 1);
  const waiting = post(`${url}/payments`, { ...order("o-2"), attempt: 4 });
  await waitFor("it to wait in line", async () => (await summary()).waiting === 1);
  t.same(await (await cancel("o-2", "?attempt=3")).json(), { order_id: "o-2", status: "superseded" });
  t.same(await (await cancel("o-1", "?attempt=1")).json(), { order_id: "o-1", status: "in_progress" });
  t.same(await (await cancel("o-2", "?attempt=4")).json(), { order_id: "o-2", status: "dropped" });
  t.equal((await waiting).status, 409);
  t.match(await (await waiting).json(), { code: "CANCELLED" });
  ledger.release();
  const charge = await (await ahead).json();
  t.same(await (await cancel("o-1", "?attempt=1")).json(), { order_id: "o-1", status: "charged", charge });
  for (const query of ["", "?attempt=0", "?attempt=x", "?attempt=1&attempt=2", "?attempt=2147483648"]) {
    const answer = await cancel("o-3", query);
    t.equal(answer.status, 422, query);
    t.match(await answer.json(), { errors: [{ field: "attempt" }] }, query);
  }
  t.equal((await cancel("a%2Fb", "?attempt=1")).status, 404);
});
