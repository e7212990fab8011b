import t from "tap";
import {
  type Beside,
  besideNotes,
  besideTable,
  MEASURED,
  markdownTable,
  withoutCompany,
} from "../../src/experiments/beside.ts";

const line: Beside = { of: "5 workers", what: "drain", unit: "s", measured: 1980, published: 1962 };

t.test("each figure stands beside what was published, with their ratio", async (t) => {
  t.same(besideTable([line]), [
    ["", "figure", "measured", "published", "measured ÷ published"],
    ["5 workers", "drain", "1,980 s", "1,962", "1.01"],
  ]);
});

t.test(
  "a model has columns of its own where a line has one, and what is not there stays empty",
  async (t) => {
    const [header, whole, bounded, second] = besideTable([
      { ...line, model: 2000 },
      { ...line, model: 2000, how: "60 s were watched" },
      { ...line, what: "depth", unit: "", measured: null, published: null },
    ]);
    t.same(header, [
      "",
      "figure",
      "measured",
      "model",
      "measured ÷ model",
      "published",
      "measured ÷ published",
    ]);
    t.same(whole, ["5 workers", "drain", "1,980 s", "2,000", "0.99", "1,962", "1.01"]);
    t.same(
      bounded,
      ["5 workers", "drain", "1,980 s *", "2,000", "", "1,962", "1.01"],
      "a figure that the model had a part in does not speak for it",
    );
    t.same(second, ["5 workers", "depth", "–", "", "", "", ""]);
  },
);

t.test("where nothing was published there is no column for it", async (t) => {
  t.same(besideTable([{ ...line, published: null }]), [
    ["", "figure", "measured"],
    ["5 workers", "drain", "1,980 s"],
  ]);
});

t.test("nothing is divided by nothing", async (t) => {
  t.equal(besideTable([{ ...line, published: 0 }])[1]?.at(-1), "");
});

t.test("a reason is told once, with what it is about", async (t) => {
  const reason = "it contradicts its own rate";
  t.same(
    besideNotes([
      { ...line, reason, how: "60 s were watched" },
      { ...line, what: "depth", reason },
      { ...line, of: "20 workers", reason },
      { ...line, of: "1 worker" },
    ]),
    ["* 5 workers, drain: 60 s were watched", `! 5 workers, 20 workers: ${reason}`],
  );
});

t.test("beside a run with faults stand neither model nor study, and it is told why", async (t) => {
  const lines: Beside[] = [
    { ...line, model: 2000, how: "60 s were watched", reason: "it contradicts its own rate" },
    { ...line, what: "workers, at most", published: null, reason: "its own" },
  ];
  t.equal(withoutCompany(lines, []), lines);
  const [drain, workers] = withoutCompany(lines, [
    { action: "kill", part: "orders-processor", atSeconds: 3 },
    { action: "stop", part: "redis", atSeconds: 5 },
  ]);
  t.notOk(drain && "model" in drain);
  t.match(drain, {
    measured: 1980,
    how: "60 s were watched",
    published: null,
    reason: /faults \(kill orders-processor at 3 s, stop redis at 5 s\)/,
  });
  t.same(workers, lines[1], "nothing was beside it");
});

const environments: Beside = {
  of: "100 users",
  what: "answers",
  unit: "/s",
  measured: 2000,
  published: null,
  publishedBy: { LocalStack: 8512, AWS: 4000 },
  doubtful: ["LocalStack", MEASURED],
  reason: "Little's law",
};

t.test(
  "what was published of several environments has columns for each; what is doubted is marked",
  async (t) => {
    const [header, row, other] = besideTable([
      environments,
      { of: "100 users", what: "accepted", unit: "%", measured: 40, published: null },
    ]);
    t.same(header, [
      "",
      "figure",
      "measured",
      "LocalStack",
      "measured ÷ LocalStack",
      "AWS",
      "measured ÷ AWS",
    ]);
    t.same(row, ["100 users", "answers", "2,000 /s !", "8,512 !", "0.23", "4,000", "0.50"]);
    t.same(other, ["100 users", "accepted", "40 %", "", "", "", ""]);
  },
);

t.test("beside a run with faults no environment stands either", async (t) => {
  const [line] = withoutCompany([environments], [{ action: "kill", part: "redis", atSeconds: 3 }]);
  t.same(Object.keys(line ?? {}).sort(), ["measured", "of", "published", "reason", "unit", "what"]);
});

t.test("the same table as Markdown", async (t) => {
  t.same(
    markdownTable([
      ["a", "b"],
      ["x | y", "2"],
    ]),
    ["| a | b |", "|---|---|", "| x \\| y | 2 |"],
  );
});
