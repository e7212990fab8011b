import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { childSpan, newTrace, parseTraceparent, traceparent } from "../../src/index.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

const hex = (digits: number) =>
  fc
    .string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: digits, maxLength: digits })
    .filter((text) => !/^0+$/.test(text));
const anyTrace = fc.record(
  { traceId: hex(32), spanId: hex(16), sampled: fc.boolean() },
  { noNullPrototype: true },
);

t.test("property: what is formatted is parsed back the same", async (t) => {
  fc.assert(fc.property(anyTrace, (trace) => assert.deepEqual(parseTraceparent(traceparent(trace)), trace)));
  t.pass();
});

t.test("property: parsing never throws, and what it accepts is valid to send on", async (t) => {
  const almost = fc.tuple(fc.string(), hex(32), hex(16), fc.string()).map((parts) => parts.join("-"));
  fc.assert(
    fc.property(fc.oneof(fc.string(), almost), (header) => {
      const trace = parseTraceparent(header);
      return trace === undefined || parseTraceparent(traceparent(trace)) !== undefined;
    }),
  );
  t.pass();
});

t.test("the invalid cases of the specification are refused", async (t) => {
  const invalid = {
    empty: "",
    "trace id all zero": `00-${"0".repeat(32)}-${SPAN}-01`,
    "span id all zero": `00-${TRACE}-${"0".repeat(16)}-01`,
    "version ff": `ff-${TRACE}-${SPAN}-01`,
    "version 00 with more": `00-${TRACE}-${SPAN}-01-extra`,
    "version 00 with a dash": `00-${TRACE}-${SPAN}-01-`,
    "a later version with more, but no dash before it": `01-${TRACE}-${SPAN}-01extra`,
    "upper case": `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    "upper case version": `0A-${TRACE}-${SPAN}-01`,
    "not hex": `00-${TRACE.replace("0", "g")}-${SPAN}-01`,
    "trace id too short": `00-${TRACE.slice(1)}-${SPAN}-01`,
    "span id too long": `00-${TRACE}-${SPAN}0-01`,
    "flags too short": `00-${TRACE}-${SPAN}-1`,
    "white space": ` 00-${TRACE}-${SPAN}-01`,
    "two of them": `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    "too long": `01-${TRACE}-${SPAN}-01-${"x".repeat(500)}`,
  };
  for (const [why, header] of Object.entries(invalid)) t.equal(parseTraceparent(header), undefined, why);
  t.equal(parseTraceparent(undefined), undefined, "absent");
});

t.test("flags: only the lowest bit counts; a later version may say more", async (t) => {
  t.same(parseTraceparent(`00-${TRACE}-${SPAN}-03`), { traceId: TRACE, spanId: SPAN, sampled: true });
  t.same(parseTraceparent(`00-${TRACE}-${SPAN}-02`), { traceId: TRACE, spanId: SPAN, sampled: false });
  t.same(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what.the.future`), {
    traceId: TRACE,
    spanId: SPAN,
    sampled: true,
  });
});

t.test("a child keeps the trace and takes a span of its own; no two ids are the same", async (t) => {
  const parent = newTrace();
  const children = Array.from({ length: 2000 }, () => childSpan(parent));
  t.ok(children.every(({ traceId, sampled }) => traceId === parent.traceId && sampled === parent.sampled));
  t.equal(new Set([parent.spanId, ...children.map(({ spanId }) => spanId)]).size, 2001);
  const traces = Array.from({ length: 2000 }, () => newTrace().traceId);
  t.equal(new Set(traces).size, 2000);
  t.ok(traces.every((id) => /^[0-9a-f]{32}$/.test(id)));
});
