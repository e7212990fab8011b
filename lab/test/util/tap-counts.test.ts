import t from "tap";
import { summary } from "../../src/util/run-tap.ts";
import { countTests } from "../../src/util/tap-counts.ts";

t.test("tests are the points inside files; a file that crashes is one failure", async (t) => {
  const tap = `TAP version 14
# Subtest: a.test.ts
    # Subtest: one
        ok 1 - deep
        1..1
    ok 1 - one # time=3ms
    not ok 2 - two
      ---
      found: |
        text
    ok 9 - quoted, not a test
      ...
    ok 3 - three # SKIP
    1..3
not ok 1 - a.test.ts # time=9ms
# Subtest: b.test.ts
    1..0
not ok 2 - b.test.ts # time=9ms
  ---
  timeout: 1
  ...
1..2
`;
  t.same(countTests(tap), { passed: 1, failed: 2, skipped: 1 });
  t.same(countTests(""), { passed: 0, failed: 0, skipped: 0 });
  t.equal(summary({ passed: 1, failed: 2, skipped: 1 }), "1 passed, 2 failed, 1 skipped");
  t.equal(summary({ passed: 1, failed: 0, skipped: 0 }), "1 passed, 0 failed");
});
