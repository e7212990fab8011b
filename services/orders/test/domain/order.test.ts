import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { acceptOrder, fingerprint, orderIdSchema, orderRequestSchema } from "../../src/domain/order.ts";
import { anOrder, anyItem, cents, goodOrder } from "../helpers.ts";

const items = fc.array(anyItem, { minLength: 1, maxLength: 100 });
const spelt = (text: string) => encodeURIComponent(text.toWellFormed());
const accepts = (item: object) =>
  orderRequestSchema.safeParse({ ...goodOrder, items: [{ ...goodOrder.items[0], ...item }] }).success;

t.test("property: the total in minor units equals exact decimal arithmetic", async (t) => {
  fc.assert(
    fc.property(items, (items) => {
      const request = orderRequestSchema.parse({
        customer_id: "c",
        items: items.map(({ product_id, quantity, price }) => ({ product_id, quantity, price })),
      });
      const exact = items.reduce((sum, item) => sum + BigInt(item.quantity) * BigInt(item.cents), 0n);
      assert.equal(BigInt(acceptOrder(request, "o-1", "2026-11-21T00:00:00.000Z").total_minor), exact);
    }),
  );
  t.pass();
});

t.test("the largest order there can be is still exact", async (t) => {
  const most = { product_id: "p", quantity: 10_000, price: 1_000_000 };
  const request = orderRequestSchema.parse({ customer_id: "c", items: Array(100).fill(most) });
  t.equal(acceptOrder(request, "o", "2026-11-21T00:00:00.000Z").total_minor, 1e14);
});

t.test("property: a price is taken exactly when it has two decimals at the most", async (t) => {
  fc.assert(
    fc.property(
      cents,
      fc.integer({ min: 3, max: 12 }),
      fc.integer({ min: 1, max: 9 }),
      (cents, decimals, digit) => {
        const price = (cents / 100).toFixed(2);
        assert.ok(accepts({ price: Number(price) }), price);
        // One more digit somewhere behind: 19.99 → 19.990003. Beyond a double's 15 digits it is the same number.
        const longer = price + String(digit).padStart(decimals - 2, "0");
        if (longer.replace(".", "").replace(/^0+/, "").length <= 15) {
          assert.ok(!accepts({ price: Number(longer) }), longer);
        }
      },
    ),
    { numRuns: 500 },
  );
  for (const price of [1e-9, 5e-324, 0.001, 19.999, 999_999.999999999])
    t.notOk(accepts({ price }), String(price));
  for (const price of [0, 0.1, 0.29, 1.1, 4.35, 19.99, 1_000_000]) t.ok(accepts({ price }), String(price));
});

t.test("property: the fingerprint depends on customer and items, not on when or at what id", async (t) => {
  const date = fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true });
  fc.assert(
    fc.property(items, items, date, date, (one, other, when, later) => {
      const accept = (items: typeof one, at: Date, id = "o-1") =>
        fingerprint(acceptOrder({ customer_id: "c", items, order_id: undefined }, id, at.toISOString()));
      assert.equal(accept(one, when), accept(one, later));
      assert.equal(accept(one, when), accept(one, when, "o-2"));
      const same = JSON.stringify(one) === JSON.stringify(other);
      assert.equal(accept(one, when) === accept(other, when), same);
    }),
  );
  t.pass();
});

t.test("each part of an order changes its fingerprint, and none can pose as another", async (t) => {
  const item = { product_id: "book", quantity: 2, price: 19.99 };
  const orders = [
    anOrder(),
    anOrder({ customer_id: "customer-2" }),
    anOrder({ items: [{ ...item, product_id: "pen" }] }),
    anOrder({ items: [{ ...item, quantity: 3 }] }),
    anOrder({ items: [{ ...item, price: 19.98 }] }),
    anOrder({ items: [item, item] }),
    anOrder({ items: [{ ...item, product_id: 'book",2,19.99],["book' }] }),
  ];
  t.equal(new Set(orders.map(fingerprint)).size, orders.length);
  const [a, b] = [item, { ...item, product_id: "pen" }];
  t.not(fingerprint(anOrder({ items: [a, b] })), fingerprint(anOrder({ items: [b, a] })), "order counts");
});

t.test("names: any script, nothing that moves a cursor, nothing that SQS refuses", async (t) => {
  for (const name of ["a", "Ünïcode", "日本語", "أهلا", "a b", "🙂", "x".repeat(64)]) {
    t.ok(accepts({ product_id: name }), JSON.stringify(name));
  }
  const bad = [
    "",
    " a",
    "a ",
    "\t",
    "a\nb",
    "\u0000",
    "\u001b[2J",
    "\u007f",
    "\u0085",
    "\u200b",
    "\u202eabc",
    "\u2066",
  ];
  for (const name of [
    ...bad,
    "\u2028",
    "\ufeff",
    "\ud800",
    "a\udc00",
    "\ufffe",
    "\uffff",
    "\u{1fffe}",
    "x".repeat(65),
  ]) {
    t.notOk(accepts({ product_id: name }), spelt(name));
  }
});

t.test("property: an order id fits a path, an attribute and a log line as it is", async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 70 }), fc.stringMatching(/^[\w.:/\n-]{1,70}$/)), (id) => {
      if (!orderIdSchema.safeParse(id).success) return;
      assert.equal(encodeURIComponent(id).replaceAll("%3A", ":"), id);
      assert.equal(new URL(`http://x/orders/${id}`).pathname, `/orders/${id}`);
      assert.ok(id.length <= 64);
    }),
    { numRuns: 500 },
  );
  t.pass();
});

t.test("a customer id is a text and nothing else", async (t) => {
  t.equal(orderRequestSchema.parse({ ...goodOrder, customer_id: "42" }).customer_id, "42");
  for (const customer_id of [42, 1.5, -1, 1e300, null, {}, [], true]) {
    t.notOk(orderRequestSchema.safeParse({ ...goodOrder, customer_id }).success, JSON.stringify(customer_id));
  }
});
