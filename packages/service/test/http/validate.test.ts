import fc from "fast-check";
import t from "tap";
import { z } from "zod";
import { type FieldError, ValidationFailed, validate } from "../../src/index.ts";

const schema = z.strictObject({
  name: z.string("must be a text"),
  items: z.array(z.strictObject({ quantity: z.int("must be a whole number") })).optional(),
});

/** Any character but a lone surrogate. */
const codePoint = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

function errorsOf(value: unknown): readonly FieldError[] {
  try {
    validate(schema, value);
  } catch (error) {
    if (error instanceof ValidationFailed) return error.details.errors ?? [];
    throw error;
  }
  return [];
}

t.test("a good value passes through", async (t) => {
  t.same(validate(schema, { name: "a", items: [{ quantity: 1 }] }), { name: "a", items: [{ quantity: 1 }] });
});

t.test("a nested field is named as a person writes it and as RFC 6901 does", async (t) => {
  t.same(errorsOf({ name: "a", items: [{ quantity: 1 }, { quantity: 0.5 }] }), [
    { field: "items[1].quantity", pointer: "#/items/1/quantity", detail: "must be a whole number" },
  ]);
});

t.test("the detail repeats the first error; what is no object at all is the body's error", async (t) => {
  for (const value of [undefined, null, [], "text", 7])
    t.match(errorsOf(value), [{ field: "body", pointer: "#" }]);
  t.throws(() => validate(schema, { name: 1 }), { message: "name: must be a text", status: 422 });
});

t.test("unknown keys are refused by name, inherited names and __proto__ too", async (t) => {
  for (const key of ["extra", "__proto__", "constructor", "toString"]) {
    t.match(errorsOf(JSON.parse(`{"name":"a","${key}":{"x":1}}`)), [{ field: key, pointer: `#/${key}` }]);
    t.match(errorsOf(JSON.parse(`{"name":"a","items":[{"quantity":1,"${key}":1}]}`)), [
      { field: `items[0].${key}`, pointer: `#/items/0/${key}` },
    ]);
  }
});

t.test("a key with control characters cannot reach a terminal; a long one is cut", async (t) => {
  const [error] = errorsOf({ name: "a", "\u001b[2J\u202e\n": 1 });
  t.equal(error?.field, "\\u001b[2J\\u202e\\u000a");
  t.equal(errorsOf({ name: "a", ["k".repeat(500)]: 1 })[0]?.field.length, 64);
});

t.test("a pointer escapes what RFC 6901 and a URI fragment need escaped", async (t) => {
  t.equal(errorsOf({ name: "a", "a/b~c": 1 })[0]?.pointer, "#/a~1b~0c");
  t.equal(errorsOf({ name: "a", 'a b%"ü': 1 })[0]?.pointer, "#/a%20b%25%22%C3%BC");
});

t.test("property: whatever the key, its pointer is a URI fragment that leads back to it", async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: codePoint, minLength: 1, maxLength: 30 }), (key) => {
      if (key === "name" || key === "items") return true;
      const pointer = errorsOf({ name: "a", [key]: 1 })[0]?.pointer ?? "";
      const decoded = decodeURIComponent(pointer.slice(2)).replaceAll("~1", "/").replaceAll("~0", "~");
      return /^#\/[\w.~!*'()%-]*$/.test(pointer) && decoded === key;
    }),
  );
  t.doesNotThrow(() => errorsOf({ name: "a", "\ud800": 1 }), "a lone surrogate has no percent-encoding");
});

t.test("twenty errors are told at the most", async (t) => {
  t.equal(errorsOf({ name: "a", items: Array(5000).fill({ quantity: "x" }) }).length, 20);
  const keys = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, 1]));
  t.equal(errorsOf({ name: "a", ...keys }).length, 20);
});
