import { Cancelled, DependencyUnavailable, Overloaded } from "@parallax/service";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { MemoryLedger } from "../../src/adapters/ledgers.ts";
import type { Charge } from "../../src/domain/ports.ts";
import { Cashier } from "../../src/payments/cashier.ts";
import { Line } from "../../src/payments/line.ts";
import { HeldLedger } from "../helpers.ts";

const never = new AbortController().signal;
const order = (id: string, amount_minor = 100, attempt = 1) => ({ order_id: id, amount_minor, attempt });

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

t.test(
  "cancelled in line: its caller is told, nothing is charged, and a late request is refused",
  async (t) => {
    const { cashier, ledger, line } = open(new HeldLedger());
    const ahead = cashier.charge(order("o-1"), never);
    const waiting = cashier.charge(order("o-2", 100, 2), never);
    waiting.catch(() => {});
    await waitFor("it to wait in line", () => line.waiting === 1);
    t.same(await cashier.cancel("o-2", 1), { status: "superseded" }, "it is a later attempt's");
    t.same(await cashier.cancel("o-2", 2), { status: "dropped" });
    await t.rejects(waiting, Cancelled);
    t.equal(line.waiting, 0);
    await t.rejects(cashier.charge(order("o-2", 100, 1), never), Cancelled);
    await t.rejects(cashier.charge(order("o-2", 100, 2), never), Cancelled);
    t.same(await cashier.cancel("o-2", 2), { status: "dropped" }, "as often as it is asked");
    ledger.release();
    await ahead;
    t.match(await cashier.charge(order("o-2", 100, 3), never), { charge: { order_id: "o-2" } });
    t.match(await cashier.cancel("o-2", 3), { status: "charged", charge: { order_id: "o-2" } });
  },
);

t.test("cancelled after it began: it is made", async (t) => {
  const { cashier, ledger } = open(new HeldLedger());
  const paying = cashier.charge(order("o-1"), never);
  await waitFor("the payment to begin", () => ledger.recording === 1);
  t.same(await cashier.cancel("o-1", 1), { status: "in_progress" });
  ledger.release();
  t.match(await paying, { charge: { order_id: "o-1" } });
});

t.test("cancelled before it was ever asked for", async (t) => {
  const { cashier, ledger } = open(new MemoryLedger());
  t.same(await cashier.cancel("o-1", 1), { status: "dropped" });
  await t.rejects(cashier.charge(order("o-1"), never), Cancelled);
  t.same(ledger.entries, []);
});

/** A ledger that closes when it is told to. */
class SlowlyClosing extends HeldLedger {
  readonly closing = Promise.withResolvers<void>();

  override async close(orderId: string, attempt: number): Promise<Charge | undefined> {
    await this.closing.promise;
    return await super.close(orderId, attempt);
  }
}

t.test("its turn comes while it is being cancelled: it does not begin", async (t) => {
  const { cashier, ledger, line } = open(new SlowlyClosing());
  const ahead = cashier.charge(order("o-1"), never);
  const waiting = cashier.charge(order("o-2"), never);
  waiting.catch(() => {});
  await waitFor("it to wait in line", () => line.waiting === 1);
  const cancelling = cashier.cancel("o-2", 1);
  ledger.release();
  await ahead;
  await waitFor("its turn", () => line.waiting === 0);
  ledger.closing.resolve();
  t.same(await cancelling, { status: "dropped" });
  await t.rejects(waiting, Cancelled);
  t.equal(ledger.recording, 1, "only the other one's charge was recorded");
});

t.test("a cancellation that fails leaves the payment in line", async (t) => {
  const { cashier, ledger, line } = open(new SlowlyClosing());
  const ahead = cashier.charge(order("o-1"), never);
  const waiting = cashier.charge(order("o-2"), never);
  await waitFor("it to wait in line", () => line.waiting === 1);
  const cancelling = cashier.cancel("o-2", 1);
  ledger.closing.reject(new DependencyUnavailable("the ledger is out"));
  await t.rejects(cancelling, DependencyUnavailable);
  ledger.release();
  await ahead;
  t.match(await waiting, { charge: { order_id: "o-2" } });
});

t.test("a later attempt that joins while an earlier one is being cancelled is paid", async (t) => {
  const { cashier, ledger, line } = open(new SlowlyClosing());
  const ahead = cashier.charge(order("o-1"), never);
  const first = cashier.charge(order("o-2", 100, 1), never);
  await waitFor("it to wait in line", () => line.waiting === 1);
  const cancelling = cashier.cancel("o-2", 1);
  const second = cashier.charge(order("o-2", 100, 2), never);
  ledger.closing.resolve();
  t.same(await cancelling, { status: "superseded" });
  ledger.release();
  await ahead;
  t.same(await first, { ...(await second), repeated: false }, "one charge for both");
});
