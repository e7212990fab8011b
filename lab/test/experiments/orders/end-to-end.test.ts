import { join } from "node:path";
import t from "tap";
import { endToEndFindings, readSentOrders } from "../../../src/experiments/orders/end-to-end.ts";
import type { FoundOrder } from "../../../src/experiments/orders/orders-api.ts";

const found = (id: string, completedAt?: number): [string, FoundOrder] => [
  id,
  {
    order_id: id,
    status: completedAt === undefined ? "processing" : "completed",
    total_minor: 1,
    attempts: 1,
    ...(completedAt === undefined ? {} : { completed_at: new Date(completedAt).toISOString() }),
  },
];

t.test("from sending an order to its completion, of the step that is measured", async (t) => {
  const line = (id: string, at: number, changes: object = {}) =>
    `${JSON.stringify({ at, wall_ms: 5, ms: 4, status: 202, step: "load", op: "place", id, ...changes })}\n`;
  const lines = [
    line("warm", 500, { step: "warm-up" }),
    line("a", 1000),
    line("b", 1000),
    line("c", 1000),
    line("d", 1000, { status: 503 }),
  ];
  const directory = t.testdir({ "answers.jsonl": lines.join("") });
  const sent = await readSentOrders(join(directory, "answers.jsonl"), "load");
  t.same([...sent.keys()], ["a", "b", "c"]);
  const findings = endToEndFindings(
    sent,
    new Map([found("a", 1020), found("b", 1040), found("c"), found("d", 1010)]),
  );
  t.equal(findings.completed, 2);
  t.ok(Math.abs((findings.end_to_end_p50_ms ?? 0) - 20) < 0.1, `${findings.end_to_end_p50_ms}`);
  t.ok(Math.abs((findings.end_to_end_p99_ms ?? 0) - 40) < 0.1, `${findings.end_to_end_p99_ms}`);
});

t.test("nothing completed has no times", async (t) => {
  t.same(endToEndFindings(new Map([["a", 1000]]), new Map([found("a")])), { completed: 0 });
});
