import t from "tap";
import { median } from "../../src/util/median.ts";

t.test("the middle by value, whatever the order; the values stay as they are", async (t) => {
  const values = [10, 9, 100];
  t.equal(median(values), 10);
  t.same(values, [10, 9, 100]);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.equal(median([7]), 7);
  t.ok(Number.isNaN(median([])), "there is none of nothing");
});
