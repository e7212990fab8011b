import { Overloaded } from "@parallax/service";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { MemoryLedger } from "../../src/adapters/ledgers.ts";
import type { Charge } from "../../src/domain/ports.ts";
import { Cashier } from "../../src/payments/cashier.ts";
import { Line } from "../../src/payments/line.ts";

const never = new AbortController().signal;
const order = (id: string, amount_minor = 100, attempt = 1) => ({ order_id: id, amount_minor, attempt });

/** A ledger that records when it is told to: a payment that takes as long as the test needs. */
class HeldLedger extends MemoryLedger {
  readonly #held = Promise.withResolvers<void>();
  recording = 0;
  readonly release = this.#held.resolve;

  override async record(charge: Charge, attempt: number): Promise<Charge> {
    this.recording += 1;
    await this.#held.promise;
    return await super.record(charge, attempt);
  }
}

function open<L extends MemoryLedger>(ledger: L, concurrency = 1, limit = 100) {
  const line = new Line(concurrency, limit);
  return { ledger, line, cashier: new Cashier({ ledger, line, paymentSeconds: 0 }) };
}

t.test("an order is charged once; the same charge is the answer ever after", async (t) => {
  const { cashier, ledger } = open(new MemoryLedger());
  const first = await cashier.charge(order("o-1"), never);
  t.equal(first.repeated, false);
  t.match(first.charge, { order_id: "o-1", amount_minor: 100, charge_id: /^[0-9a-f-]{36}$/ });
  t.same(await cashier.charge(order("o-1"), never), { charge: first.charge, repeated: true });
  t.equal(ledger.entries.length, 1);
});

t.test("whoever asks while it is being charged joins, and takes no place in the line", async (t) => {
  const { cashier, ledger, line } = open(new HeldLedger());
  const all = Array.from({ length: 20 }, () => cashier.charge(order("o-1"), never));
  await waitFor("the payment to begin", () => ledger.recording === 1);
  t.same([line.inside, line.waiting], [1, 0]);
  ledger.release();
  const answers = await Promise.all(all);
  t.equal(new Set(answers.map(({ charge }) => charge.charge_id)).size, 1);
  t.equal(answers.filter(({ repeated }) => !repeated).length, 1);
  t.equal(ledger.entries.length, 1);
});

t.test("another amount is a conflict, after the charge and during it", async (t) => {
  const { cashier, ledger } = open(new HeldLedger());
  const charging = cashier.charge(order("o-1", 100), never);
  await waitFor("the payment to begin", () => ledger.recording === 1);
  const conflict = { code: "CONFLICT", details: { errors: [{ field: "amount_minor" }] } };
  await t.rejects(cashier.charge(order("o-1", 101), never), conflict);
  ledger.release();
  await charging;
  await t.rejects(cashier.charge(order("o-1", 101), never), conflict);
  t.match(ledger.entries, [{ amount_minor: 100 }]);
});

t.test("abandoned before its turn, it leaves the line and is never charged", async (t) => {
  const { cashier, ledger, line } = open(new HeldLedger());
  const ahead = cashier.charge(order("o-1"), never);
  const gone = new AbortController();
  const abandoned = cashier.charge(order("o-2"), gone.signal);
  await waitFor("it to wait in line", () => line.waiting === 1);
  gone.abort(new Error("hung up"));
  await t.rejects(abandoned, { message: "hung up" });
  await waitFor("it to leave the line", () => line.waiting === 0);
  ledger.release();
  await ahead;
  t.same(
    ledger.entries.map(({ order_id }) => order_id),
    ["o-1"],
  );
  t.equal((await cashier.charge(order("o-2"), never)).repeated, false, "it can still be paid later");
});

t.test("one of two who wait for the same payment hangs up: the other gets it", async (t) => {
  const { cashier, ledger, line } = open(new HeldLedger());
  const ahead = cashier.charge(order("o-1"), never);
  const gone = new AbortController();
  const leaving = cashier.charge(order("o-2"), gone.signal);
  const staying = cashier.charge(order("o-2"), never);
  await waitFor("it to wait in line", () => line.waiting === 1);
  gone.abort(new Error("hung up"));
  await t.rejects(leaving, { message: "hung up" });
  ledger.release();
  await ahead;
  t.match(await staying, { charge: { order_id: "o-2" } });
});

t.test("abandoned after it began, it is charged and recorded, as a real provider would", async (t) => {
  const { cashier, ledger } = open(new HeldLedger());
  const gone = new AbortController();
  const abandoned = cashier.charge(order("o-1"), gone.signal);
  await waitFor("the payment to begin", () => ledger.recording === 1);
  gone.abort(new Error("hung up"));
  await t.rejects(abandoned, { message: "hung up" });
  ledger.release();
  await waitFor("the charge to be recorded", () => ledger.entries.length === 1);
  t.equal((await cashier.charge(order("o-1"), never)).repeated, true);
});

t.test("whoever asks for a payment that goes on without its caller joins it", async (t) => {
  const { cashier, ledger } = open(new HeldLedger(), 2);
  const gone = new AbortController();
  const abandoned = cashier.charge(order("o-1"), gone.signal);
  await waitFor("the payment to begin", () => ledger.recording === 1);
  gone.abort(new Error("hung up"));
  await t.rejects(abandoned, { message: "hung up" });
  const joined = cashier.charge(order("o-1"), never);
  ledger.release();
  t.match(await joined, { repeated: true });
  t.equal(ledger.recording, 1, "paid once, not twice for the same entry");
});

t.test("whoever hung up while the ledger was being asked never enters the line", async (t) => {
  const { cashier, ledger, line } = open(new HeldLedger());
  const ahead = cashier.charge(order("o-1"), never);
  const gone = new AbortController();
  const abandoned = cashier.charge(order("o-2"), gone.signal);
  gone.abort(new Error("hung up"));
  await t.rejects(abandoned, { message: "hung up" });
  t.equal(line.waiting, 0);
  ledger.release();
  await ahead;
  t.same(
    ledger.entries.map(({ order_id }) => order_id),
    ["o-1"],
  );
});

t.test("whoever comes in the moment in which the last one leaves is charged all the same", async (t) => {
  for (let ticks = 0; ticks < 12; ticks += 1) {
    const { cashier, ledger, line } = open(new HeldLedger());
    const ahead = cashier.charge(order("o-1"), never);
    const gone = new AbortController();
    const leaving = cashier.charge(order("o-2"), gone.signal);
    await waitFor("it to wait in line", () => line.waiting === 1);
    gone.abort(new Error("hung up"));
    leaving.catch(() => {});
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
    const coming = cashier.charge(order("o-2"), never);
    ledger.release();
    t.match(await coming, { charge: { order_id: "o-2" } }, `${ticks} turns later`);
    await ahead;
  }
});

t.test("a full line is told as such, and a failed payment can be tried again", async (t) => {
  const { cashier, ledger } = open(new HeldLedger(), 1, 1);
  const both = [cashier.charge(order("o-1"), never), cashier.charge(order("o-2"), never)];
  await waitFor("the payment to begin", () => ledger.recording === 1);
  await t.rejects(cashier.charge(order("o-3"), never), Overloaded);
  ledger.release();
  await Promise.all(both);
  t.match(await cashier.charge(order("o-3"), never), { repeated: false });
});
