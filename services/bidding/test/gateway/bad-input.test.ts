/** The tables of bad auctions, bids and queries: each is refused with a 4xx that names the field, and none has an effect. */

import t from "tap";
import { goodAuction, goodBid, postRaw, startGateway } from "../gateway-helpers.ts";

const withBid = (changes: object) => JSON.stringify({ ...goodBid, ...changes });
const withAuction = (changes: object) => JSON.stringify({ ...goodAuction(), ...changes });
/** JSON.stringify cannot write these: raw JSON, with `@` where the value goes. */
const raw = (text: string, value: string) => text.replace('"@"', value);
const deep = (open: string, close: string) => open.repeat(10_000) + close.repeat(10_000);

type Row = readonly [what: string, body: string, status: number, field?: string];

const numbers = (field: string, body: (changes: object) => string): Row[] => [
  ["missing", body({ [field]: undefined }), 422, field],
  ["null", body({ [field]: null }), 422, field],
  ["NaN", raw(body({ [field]: "@" }), "NaN"), 400],
  ["Infinity", raw(body({ [field]: "@" }), "Infinity"), 400],
  ["hexadecimal", raw(body({ [field]: "@" }), "0x10"), 400],
  ["1e309", raw(body({ [field]: "@" }), "1e309"), 422, field],
  ["-1e309", raw(body({ [field]: "@" }), "-1e309"), 422, field],
  ["1e300", raw(body({ [field]: "@" }), "1e300"), 422, field],
  ["2^53", raw(body({ [field]: "@" }), "9007199254740992"), 422, field],
  ["2^53 + 1", raw(body({ [field]: "@" }), "9007199254740993"), 422, field],
  ["twenty digits", raw(body({ [field]: "@" }), "99999999999999999999"), 422, field],
  ["negative", body({ [field]: -1 }), 422, field],
  ["negative zero", raw(body({ [field]: "@" }), "-0"), 422, field],
  ["zero", body({ [field]: 0 }), 422, field],
  ["fractional", body({ [field]: 100.5 }), 422, field],
  ["tiny", body({ [field]: 5e-324 }), 422, field],
  ["text", body({ [field]: "100" }), 422, field],
  ["NaN as text", body({ [field]: "NaN" }), 422, field],
  ["a list", body({ [field]: [100] }), 422, field],
  ["an object", body({ [field]: { valueOf: 100 } }), 422, field],
  ["true", body({ [field]: true }), 422, field],
];

const texts = (field: string, most: number, body: (changes: object) => string): Row[] => [
  ["missing", body({ [field]: undefined }), 422, field],
  ["empty", body({ [field]: "" }), 422, field],
  ["white space", body({ [field]: "  " }), 422, field],
  ["too long", body({ [field]: "x".repeat(most + 1) }), 422, field],
  ["a number", body({ [field]: 7 }), 422, field],
  ["an object", body({ [field]: {} }), 422, field],
  ["NUL", body({ [field]: "a\u0000" }), 422, field],
  ["an escape", body({ [field]: "\u001b[31m" }), 422, field],
  ["a line break", body({ [field]: "a\nb" }), 422, field],
  ["bidi override", body({ [field]: "a\u202eb" }), 422, field],
  ["a lone surrogate", raw(body({ [field]: "@" }), '"\\ud800"'), 422, field],
];

const bodies = (body: (changes: object) => string, first: string): Row[] => [
  ["empty", "", 400],
  ["white space", "   ", 400],
  ["half of it", body({}).slice(0, -5), 400],
  ["two of them", body({}) + body({}), 400],
  ["array", "[]", 422, "body"],
  ["null", "null", 422, "body"],
  ["number", "7", 422, "body"],
  ["empty object", "{}", 422, first],
  ["unknown key", body({ seq: 1 }), 422, "seq"],
  ["__proto__", raw(body({ a: "@" }).replace('"a"', '"__proto__"'), '{"x":1}'), 422, "__proto__"],
  ["constructor", body({ constructor: { prototype: {} } }), 422, "constructor"],
  ["10,000 deep", deep("[", "]"), 422, "body"],
  ["over the limit", body({ a: "x".repeat(65 * 1024) }), 413],
];

const bids: readonly Row[] = [
  ...bodies(withBid, "bidder_id"),
  ...numbers("amount", withBid),
  ...texts("bidder_id", 64, withBid),
  ["bid_id empty", withBid({ bid_id: "" }), 422, "bid_id"],
  ["bid_id null", withBid({ bid_id: null }), 422, "bid_id"],
  ["bid_id a number", withBid({ bid_id: 7 }), 422, "bid_id"],
  ["bid_id no UUID", withBid({ bid_id: "bid-1" }), 422, "bid_id"],
  ["bid_id with more", withBid({ bid_id: "0190a000-0000-4000-8000-000000000001 " }), 422, "bid_id"],
];

const auctions: readonly Row[] = [
  ...bodies(withAuction, "item"),
  ...numbers("starting_price", withAuction),
  ...numbers("min_increment", withAuction),
  ...texts("item", 200, withAuction),
  ["ends_at missing", withAuction({ ends_at: undefined }), 422, "ends_at"],
  ["ends_at empty", withAuction({ ends_at: "" }), 422, "ends_at"],
  ["ends_at a number", withAuction({ ends_at: 4_000_000_000_000 }), 422, "ends_at"],
  ["ends_at no time", withAuction({ ends_at: "tomorrow" }), 422, "ends_at"],
  ["ends_at a day", withAuction({ ends_at: "2096-01-01" }), 422, "ends_at"],
  ["ends_at of no time zone", withAuction({ ends_at: "2096-01-01T00:00:00" }), 422, "ends_at"],
  ["ends_at on 30 February", withAuction({ ends_at: "2096-02-30T00:00:00Z" }), 422, "ends_at"],
  ["ends_at past", withAuction({ ends_at: "2006-01-01T00:00:00Z" }), 422, "ends_at"],
  ["ends_at in the year 10000", withAuction({ ends_at: "9999-12-31T23:59:59-12:00" }), 422, "ends_at"],
  ["ends_at before time began", withAuction({ ends_at: "0000-01-01T00:00:00Z" }), 422, "ends_at"],
];

for (const [what, path, rows] of [
  ["bids", "bids", bids],
  ["auctions", "", auctions],
] as const) {
  t.test(`bad ${what}`, async (t) => {
    const gateway = await startGateway(t);
    const id = await gateway.open();
    const url = `${gateway.url}/auctions${path ? `/${id}/bids` : ""}`;
    for (const [row, body, status, field] of rows) {
      const name = `${field ?? what}: ${row}`;
      const response = await postRaw(url, body);
      t.equal(response.status, status, name);
      t.equal(response.headers.get("content-type"), "application/problem+json", name);
      const problem = (await response.json()) as { errors?: { field: string; pointer: string }[] };
      t.match(problem, { status, detail: String, retryable: false }, name);
      if (field !== undefined) t.equal(problem.errors?.[0]?.field, field, name);
      for (const error of problem.errors ?? []) t.match(error.pointer, /^#(\/[\w.~%-]+)*$/, name);
    }
    t.match(await gateway.auctions.find(id), { seq: 0, highest: null }, "none had an effect");
    t.equal(gateway.auctions.outbox.length, 1);
    t.equal((await gateway.bid(id, goodBid)).status, 201, "a good one still has");
  });
}

t.test("bad queries", async (t) => {
  const { url, open } = await startGateway(t);
  const id = await open();
  const both = [
    "limit=0",
    "limit=1001",
    "limit=-1",
    "limit=1.5",
    "limit=",
    "limit=x",
    "limit=1&limit=2",
    "page=2",
  ];
  const rows = [
    ...both.flatMap((query) => [`/auctions?${query}`, `/auctions/${id}/bids?${query}`]),
    "/auctions?cursor=x",
    "/auctions?cursor=",
    `/auctions/${id}/bids?cursor=0`,
    `/auctions/${id}/bids?cursor=9007199254740992`,
    `/auctions/${id}/bids?cursor=${id}`,
  ];
  for (const row of rows) {
    const response = await fetch(url + row);
    t.equal(response.status, 422, row);
    const problem = (await response.json()) as { errors: { field: string }[] };
    t.equal(problem.errors[0]?.field, /\?(\w+)=/.exec(row)?.[1], row);
  }
});
