/** The table of bad orders: each is refused with a 4xx that names the field, and none reaches the broker. */

import t from "tap";
import { goodOrder, post, startReceiver } from "../helpers.ts";

const item = { product_id: "book", quantity: 1, price: 1 };
const withItem = (changes: object) => JSON.stringify({ ...goodOrder, items: [{ ...item, ...changes }] });
const withOrder = (changes: object) => JSON.stringify({ ...goodOrder, ...changes });
/** JSON.stringify cannot write these: raw JSON, with `@` where the value goes. */
const raw = (text: string, value: string) => text.replace('"@"', value);
const without = (field: "customer_id" | "items") => withOrder({ [field]: undefined });
const deep = (open: string, close: string) => open.repeat(10_000) + close.repeat(10_000);

type Row = readonly [what: string, body: string, status: number, field?: string];

const rows: readonly Row[] = [
  ["empty", "", 400],
  ["white space", "   ", 400],
  ["half of an order", withOrder({}).slice(0, -5), 400],
  ["two orders", withOrder({}) + withOrder({}), 400],
  ["array", "[]", 422, "body"],
  ["string", '"order"', 422, "body"],
  ["null", "null", 422, "body"],
  ["number", "7", 422, "body"],
  ["true", "true", 422, "body"],
  ["empty object", "{}", 422, "customer_id"],
  ["no customer", without("customer_id"), 422, "customer_id"],
  ["no items", without("items"), 422, "items"],
  ["items empty", withOrder({ items: [] }), 422, "items"],
  ["items an object", withOrder({ items: { 0: item, length: 1 } }), 422, "items"],
  ["items null", withOrder({ items: null }), 422, "items"],
  ["101 items", withOrder({ items: Array(101).fill(item) }), 422, "items"],
  ["item null", withOrder({ items: [null] }), 422, "items[0]"],
  ["second item bad", withOrder({ items: [item, { ...item, quantity: 0 }] }), 422, "items[1].quantity"],
  ["quantity missing", withItem({ quantity: undefined }), 422, "items[0].quantity"],
  ["quantity text", withItem({ quantity: "1" }), 422, "items[0].quantity"],
  ["quantity true", withItem({ quantity: true }), 422, "items[0].quantity"],
  ["quantity negative", withItem({ quantity: -1 }), 422, "items[0].quantity"],
  ["quantity zero", withItem({ quantity: 0 }), 422, "items[0].quantity"],
  ["quantity fractional", withItem({ quantity: 1.5 }), 422, "items[0].quantity"],
  ["quantity huge", withItem({ quantity: 1e21 }), 422, "items[0].quantity"],
  ["quantity 10001", withItem({ quantity: 10_001 }), 422, "items[0].quantity"],
  ["quantity 1e309", raw(withItem({ quantity: "@" }), "1e309"), 422, "items[0].quantity"],
  ["price missing", withItem({ price: undefined }), 422, "items[0].price"],
  ["price text", withItem({ price: "1.00" }), 422, "items[0].price"],
  ["price null", withItem({ price: null }), 422, "items[0].price"],
  ["price negative", withItem({ price: -0.01 }), 422, "items[0].price"],
  ["price with three decimals", withItem({ price: 1.999 }), 422, "items[0].price"],
  ["price with nine decimals", withItem({ price: 1e-9 }), 422, "items[0].price"],
  ["price too high", withItem({ price: 1_000_000.01 }), 422, "items[0].price"],
  ["price 1e309", raw(withItem({ price: "@" }), "1e309"), 422, "items[0].price"],
  ["price -1e309", raw(withItem({ price: "@" }), "-1e309"), 422, "items[0].price"],
  ["price NaN", raw(withItem({ price: "@" }), "NaN"), 400],
  ["price Infinity", raw(withItem({ price: "@" }), "Infinity"), 400],
  ["price hexadecimal", raw(withItem({ price: "@" }), "0x10"), 400],
  ["__proto__", raw(withOrder({ a: "@" }).replace('"a"', '"__proto__"'), '{"x":1}'), 422, "__proto__"],
  ["constructor", withOrder({ constructor: { prototype: {} } }), 422, "constructor"],
  ["item's __proto__", withItem({ a: 1 }).replace('"a"', '"__proto__"'), 422, "items[0].__proto__"],
  ["item's constructor", withItem({ constructor: 1 }), 422, "items[0].constructor"],
  ["unknown key", withOrder({ total: 0 }), 422, "total"],
  ["unknown key in an item", withItem({ discount: 1 }), 422, "items[0].discount"],
  ["key that moves the cursor", withOrder({ "\u001b[2J": 1 }), 422, "\\u001b[2J"],
  ["arrays 10,000 deep", deep("[", "]"), 422, "body"],
  ["items 10,000 deep", raw(withOrder({ items: "@" }), deep("[", "]")), 422],
  ["objects 10,000 deep", raw(withOrder({ a: "@" }), `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`), 422],
  ["over 64 KiB", withOrder({ a: "x".repeat(65 * 1024) }), 413],
  ["customer empty", withOrder({ customer_id: "" }), 422, "customer_id"],
  ["customer white space", withOrder({ customer_id: "  " }), 422, "customer_id"],
  ["customer too long", withOrder({ customer_id: "x".repeat(65) }), 422, "customer_id"],
  ["customer negative", withOrder({ customer_id: -1 }), 422, "customer_id"],
  ["customer an object", withOrder({ customer_id: {} }), 422, "customer_id"],
  ["customer with NUL", withOrder({ customer_id: "a\u0000" }), 422, "customer_id"],
  ["customer with an escape", withOrder({ customer_id: "\u001b[31m" }), 422, "customer_id"],
  ["customer with bidi override", withOrder({ customer_id: "a\u202eb" }), 422, "customer_id"],
  ["customer a lone surrogate", raw(withOrder({ customer_id: "@" }), '"\\ud800"'), 422, "customer_id"],
  ["product empty", withItem({ product_id: "" }), 422, "items[0].product_id"],
  ["product a number", withItem({ product_id: 7 }), 422, "items[0].product_id"],
  ["product with a newline", withItem({ product_id: "a\nb" }), 422, "items[0].product_id"],
  ["product with bidi isolate", withItem({ product_id: "\u2066a" }), 422, "items[0].product_id"],
  ["product a lone surrogate", raw(withItem({ product_id: "@" }), '"a\\udc00"'), 422, "items[0].product_id"],
  ["product a non-character", withItem({ product_id: "a\ufffe" }), 422, "items[0].product_id"],
  ["order id with a slash", withOrder({ order_id: "a/b" }), 422, "order_id"],
  ["order id with a newline", withOrder({ order_id: "a\n" }), 422, "order_id"],
  ["order id of 65", withOrder({ order_id: "x".repeat(65) }), 422, "order_id"],
  ["order id empty", withOrder({ order_id: "" }), 422, "order_id"],
  ["order id null", withOrder({ order_id: null }), 422, "order_id"],
  ["order id a number", withOrder({ order_id: 7 }), 422, "order_id"],
  ["order id of dots", withOrder({ order_id: ".." }), 422, "order_id"],
];

t.test("bad orders", async (t) => {
  const { url, broker } = await startReceiver(t);
  for (const [what, body, status, field] of rows) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${url}/orders/async`, { method: "POST", body, headers });
    t.equal(response.status, status, what);
    t.equal(response.headers.get("content-type"), "application/problem+json", what);
    const problem = (await response.json()) as {
      errors?: { field: string; pointer: string; detail: string }[];
    };
    t.match(
      problem,
      { type: /^urn:parallax:problem:/, title: String, status, detail: String, retryable: false },
      what,
    );
    if (field !== undefined) t.equal(problem.errors?.[0]?.field, field, what);
    for (const error of problem.errors ?? []) t.match(error.pointer, /^#(\/[\w.~%-]+)*$/, what);
  }
  t.same(
    await broker.depth(),
    { visible: 0, inFlight: 0, delayed: 0, deadLettered: 0 },
    "nothing was published",
  );
  t.equal((await post(`${url}/orders/async`, goodOrder)).status, 202, "a good one still is");
  t.match(await broker.depth(), { visible: 1 });
});
