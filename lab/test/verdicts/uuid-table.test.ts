import { randomUUID } from "node:crypto";
import fc from "fast-check";
import t from "tap";
import { UuidTable } from "../../src/verdicts/uuid-table.ts";

t.test("it numbers UUIDs as a Map of strings would, and gives them back", async (t) => {
  fc.assert(
    fc.property(fc.array(fc.uuid(), { maxLength: 200 }), fc.array(fc.nat()), (uuids, again) => {
      const table = new UuidTable();
      const map = new Map<string, number>();
      const all = [...uuids, ...again.flatMap((at) => uuids[at % Math.max(1, uuids.length)] ?? [])];
      for (const uuid of all) {
        if (!map.has(uuid)) map.set(uuid, map.size);
        if (table.add(uuid) !== map.get(uuid)) return false;
      }
      return table.size === map.size && [...map].every(([uuid, index]) => table.at(index) === uuid);
    }),
    { seed: 16, numRuns: 300 },
  );
  t.ok(true);
});

t.test("it grows beyond its first room, also with UUIDs that share all but some digits", async (t) => {
  const table = new UuidTable();
  const like = (at: number) => `00000000-0000-4000-8000-${at.toString(16).padStart(12, "0")}`;
  for (let at = 0; at < 20_000; at += 1) table.add(like(at));
  const random = Array.from({ length: 5000 }, () => randomUUID());
  for (const uuid of random) table.add(uuid);
  t.equal(table.size, 25_000);
  t.ok(Array.from({ length: 20_000 }, (_, at) => at).every((at) => table.indexOf(like(at)) === at));
  t.ok(random.every((uuid, at) => table.indexOf(uuid) === 20_000 + at));
  t.equal(table.indexOf(like(20_000)), undefined);
});

t.test("from one table to another", async (t) => {
  const [one, other] = [new UuidTable(), new UuidTable()];
  const uuids = Array.from({ length: 100 }, () => randomUUID());
  for (const uuid of uuids) one.add(uuid);
  for (const uuid of uuids.slice(0, 50).reverse()) other.add(uuid);
  t.same(
    [0, 49, 50].map((at) => one.indexIn(other, at)),
    [49, 0, undefined],
  );
});

t.test("letters of either case are one UUID; anything else is none", async (t) => {
  const table = new UuidTable();
  const uuid = "ABCDEF01-2345-4789-8abc-def012345678";
  t.equal(table.add(uuid), 0);
  t.equal(table.add(uuid.toLowerCase()), 0);
  t.equal(table.at(0), uuid.toLowerCase());
  for (const none of ["", "bid-1", `${uuid}0`, uuid.replaceAll("-", ""), uuid.replace("A", "g")]) {
    t.equal(table.add(none), undefined, none);
    t.equal(table.indexOf(none), undefined, none);
  }
  t.equal(table.size, 1);
});
