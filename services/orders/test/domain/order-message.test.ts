import assert from "node:assert/strict";
import { PermanentFailure } from "@parallax/messaging";
import fc from "fast-check";
import t from "tap";
import { acceptOrder } from "../../src/domain/order.ts";
import { decodeOrder, encodeOrder } from "../../src/domain/order-message.ts";
import { anOrder, anyItem } from "../helpers.ts";

/** Any character but a lone surrogate. */
const codePoint = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

const anyOrder = fc
  .record({
    id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/),
    customer_id: fc.stringMatching(/^[^\s\p{C}]{1,64}$/u),
    items: fc.array(anyItem, { minLength: 1, maxLength: 20 }),
    at: fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true }),
  })
  .map(({ id, customer_id, items, at }) => {
    const plain = items.map(({ product_id, quantity, price }) => ({ product_id, quantity, price }));
    return acceptOrder({ customer_id, items: plain, order_id: undefined }, id, at.toISOString());
  });

const refused = (body: string) => {
  try {
    decodeOrder(body);
  } catch (error) {
    assert.ok(error instanceof PermanentFailure, `${body.slice(0, 100)}: ${error}`);
    return error;
  }
  return undefined;
};

t.test("property: what is encoded is decoded the same; the trace goes beside it", async (t) => {
  fc.assert(
    fc.property(anyOrder, fc.string(), (order, trace) => {
      const message = encodeOrder(order, trace);
      assert.deepEqual(decodeOrder(message.body), order);
      assert.deepEqual(message.attributes, { traceparent: trace });
    }),
  );
  t.pass();
});

t.test("property: garbage is a permanent failure and never anything else", async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: codePoint })), (body) => !!refused(body)),
  );
  t.ok(refused("["));
  t.ok(refused("[".repeat(100_000)));
  t.ok(refused("null"));
});

t.test("property: a message with one field missing or spoilt is refused, by that field's name", async (t) => {
  const { version, order }: Record<string, object> = JSON.parse(encodeOrder(anOrder(), "").body);
  const spoilt = fc.constantFrom<unknown>(undefined, null, true, {}, -1, 1.5, "", "\u0000");
  fc.assert(
    fc.property(fc.constantFrom("version", ...Object.keys(order ?? {})), spoilt, (field, value) => {
      const message =
        field === "version" ? { version: value, order } : { version, order: { ...order, [field]: value } };
      assert.match(refused(JSON.stringify(message))?.message ?? "accepted", new RegExp(field));
    }),
    { numRuns: 300 },
  );
  t.pass();
});

t.test("another version is refused: it belongs in the dead-letter queue, not on the floor", async (t) => {
  const body = encodeOrder(anOrder(), "").body.replace('"version":1', '"version":2');
  t.match(refused(body), { message: /wrong: version/, code: "PERMANENT_FAILURE" });
});

t.test("the refusal carries its cause", async (t) => {
  t.type(refused("{")?.cause, SyntaxError);
  t.ok(refused("{}")?.cause);
});
