import t from "tap";
import { readFailures } from "../../src/util/tap-failures.ts";

t.test("a failure is told by its path, with what was said before it and tap's diagnostics", async (t) => {
  const tap = [
    "# Subtest: file",
    "    # Subtest: story",
    "        # the receiver: gone",
    "        ok 1 - fine # time=1ms",
    "        not ok 2 - should be equal # time=30.1ms",
    "          ---",
    "          diff: |",
    "            -1",
    "            not ok 1 - quoted",
    "          ...",
    "        not ok 3 - nor is this",
    "        not ok 4 - wished for # TODO",
    "        1..4",
    "        # the receiver: back",
    "    not ok 1 - story # time=31ms",
    "      ---",
    "      at: here",
    "      ...",
    "    # Subtest: quiet",
    "        ok 1 - fine",
    "    ok 2 - quiet",
    "    1..2",
    "    # the log: refused",
    "not ok 1 - file # time=33ms",
    "  ---",
    "  exitCode: 1",
    "  ...",
    "ok 2 - another # time=3ms",
    "not ok 3 - one that ended early # time=3ms",
    "  ---",
    "  signal: SIGALRM",
    "  ...",
    "",
  ].join("\n");
  t.same(readFailures(tap), [
    {
      path: ["file", "story", "should be equal"],
      detail: ["diff: |", "  -1", "  not ok 1 - quoted", "the receiver: back", "the log: refused"],
    },
    { path: ["file", "story", "nor is this"], detail: ["the receiver: back", "the log: refused"] },
    { path: ["one that ended early"], detail: ["signal: SIGALRM"] },
  ]);
});

t.test("nothing failed", async (t) => {
  t.same(readFailures(""), []);
  t.same(readFailures("    ok 1 - story\nok 1 - file\n"), []);
});
