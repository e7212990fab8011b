import t from "tap";
import { DeliveryBuffer } from "../../src/archiver/buffer.ts";
import type { Delivery } from "../../src/domain/archiving.ts";

const delivery = (text: string): Delivery => ({
  text,
  ack() {},
  giveBack() {},
  refuse() {},
  keep() {},
});
const never = new AbortController().signal;
const texts = (deliveries: readonly Delivery[]) => deliveries.map(({ text }) => text);

t.test("a batch is full at once, however long it might wait", async (t) => {
  const buffer = new DeliveryBuffer({ batch: 3, waitMs: 60_000, most: 10 });
  const next = buffer.next(never);
  for (const text of ["a", "b", "c", "d"]) buffer.add(delivery(text));
  t.same(texts(await next), ["a", "b", "c"]);
  t.equal(buffer.length, 1);
});

t.test("one that is not full goes when its first has waited", async (t) => {
  const buffer = new DeliveryBuffer({ batch: 3, waitMs: 20, most: 10 });
  const began = performance.now();
  const next = buffer.next(never);
  buffer.add(delivery("a"));
  buffer.add(delivery("b"));
  t.same(texts(await next), ["a", "b"]);
  t.ok(performance.now() - began >= 19);
});

t.test("what has waited long enough by then goes at once", async (t) => {
  const buffer = new DeliveryBuffer({ batch: 3, waitMs: 0, most: 10 });
  buffer.add(delivery("a"));
  t.same(texts(await buffer.next(never)), ["a"]);
});

t.test("it holds no more than it may, and tells who waits", async (t) => {
  const buffer = new DeliveryBuffer({ batch: 3, waitMs: 60_000, most: 4 });
  for (const text of ["a", "b", "c", "d", "e", "f"]) buffer.add(delivery(text));
  t.equal(buffer.length, 4);
  t.equal(buffer.waitingFor(60_000).length, 0);
  t.equal(buffer.waitingFor(0).length, 4);
  t.same(texts(buffer.clear()), ["a", "b", "c", "d"]);
  t.equal(buffer.length, 0);
});

t.test("waiting for a batch ends when it is aborted", async (t) => {
  const buffer = new DeliveryBuffer({ batch: 3, waitMs: 60_000, most: 4 });
  const controller = new AbortController();
  const next = buffer.next(controller.signal);
  buffer.add(delivery("a"));
  controller.abort(new Error("enough"));
  await t.rejects(next, { message: "enough" });
  await t.rejects(buffer.next(controller.signal), { message: "enough" });
});
