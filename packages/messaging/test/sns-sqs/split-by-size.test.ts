import fc from "fast-check";
import t from "tap";
import { splitBySize } from "../../src/sns-sqs/split-by-size.ts";

t.test("property: everything once and in order, in parts that fit, none of them needlessly", async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 120 })), (sizes) => {
      const parts = splitBySize(sizes, (size) => size, 100);
      const sum = (part: readonly number[]) => part.reduce((total, size) => total + size, 0);
      return (
        parts.flat().join() === sizes.join() &&
        parts.every((part) => part.length === 1 || sum(part) <= 100) &&
        parts.every((part, at) => at === 0 || sum(parts[at - 1] ?? []) + (part[0] ?? 0) > 100)
      );
    }),
  );
});
