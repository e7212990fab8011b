import fc from "fast-check";
import t from "tap";

// The page's modules are JavaScript for browsers, which are not checked.
const { amount, day, isFar, moment, parseAmount, timeLeft, uuid } = await import(
  new URL("../../../src/broadcaster/page/format.js", import.meta.url).href
);

t.test("amounts are read as a person writes them, and never as another number", async (t) => {
  const rows = {
    "1": 1,
    " 1250 ": 1250,
    "1,250": 1250,
    "1.250.000": 1_250_000,
    "1 250": 1250,
    "1\u202f250": 1250,
    "1'250": 1250,
    "007": 7,
    "9007199254740991": Number.MAX_SAFE_INTEGER,
    "9,007,199,254,740,991": Number.MAX_SAFE_INTEGER,
  };
  for (const [text, value] of Object.entries(rows)) t.equal(parseAmount(text), value, text);
  const wrong = [
    "",
    "0",
    "-5",
    "+5",
    "1.5",
    "12,34",
    "1,2500",
    "1e3",
    "1e309",
    "NaN",
    "Infinity",
    "٣",
    "0x10",
  ];
  for (const text of [...wrong, "9007199254740992", "99999999999999999999", "1,250 EUR"]) {
    t.equal(parseAmount(text), undefined, text);
  }
});

t.test("property: what is shown can be typed", async (t) => {
  fc.assert(fc.property(fc.maxSafeNat(), (value) => value === 0 || parseAmount(amount(value)) === value));
  t.pass();
});

t.test("the time left, in its two largest parts", async (t) => {
  const rows: readonly [ms: number, text: string][] = [
    [-5, "0 s"],
    [0, "0 s"],
    [1, "1 s"],
    [59_000, "59 s"],
    [59_001, "1 min 00 s"],
    [125_000, "2 min 05 s"],
    [3_600_000, "1 h 00 min"],
    [86_400_000 + 3 * 3_600_000, "1 d 03 h"],
  ];
  for (const [ms, text] of rows) t.equal(timeLeft(ms), text);
});

t.test("beyond 99 days the day is said, and not how many there are", async (t) => {
  t.notOk(isFar(99 * 86_400_000));
  t.ok(isFar(99 * 86_400_000 + 1));
  t.match(day("9999-06-30T12:00:00Z"), /9999/);
  t.notMatch(day("9999-06-30T12:00:00Z"), /12|00/);
});

t.test("the time of a moment stays on one line", async (t) => {
  const at = "2026-11-21T23:29:00Z";
  t.match(moment(at, "en-US"), /^[A-Z][a-z]{2} \d{1,2}, 2026, \d{1,2}:\d\d\u00a0[AP]M$/);
  t.match(moment(at, "en-GB"), /^\d{1,2} [A-Z][a-z]{2} 2026, \d\d:\d\d$/);
  for (const locale of ["ko", "de", "fr", "bg"]) t.match(moment(at, locale), /2026.*\d\d.*\d\d/, locale);
});

t.test("ids are random UUIDs", async (t) => {
  const ids = new Set(Array.from({ length: 100 }, () => uuid()));
  t.equal(ids.size, 100);
  for (const id of ids) t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
