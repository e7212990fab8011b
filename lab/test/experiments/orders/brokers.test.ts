import t from "tap";
import type { RunFigures } from "../../../src/experiments/figures.ts";
import { brokers } from "../../../src/experiments/orders/brokers.ts";
import { asItIs } from "../../../src/experiments/parameters.ts";
import { planRun } from "../../../src/experiments/plan-run.ts";
import { rowsOf } from "../../../src/experiments/rows.ts";

t.test("each row is named by the broker that its services were given", async (t) => {
  const figures = { steps: [], findings: { end_to_end_p50_ms: 12, completed: 3 } } as unknown as RunFigures;
  for (const { name, variant } of rowsOf(brokers, asItIs)) {
    const { parameters, services } = planRun(brokers, variant);
    const lines = brokers.beside?.(figures, parameters, services) ?? [];
    t.ok(lines.length > 0 && lines.every(({ of }) => of === name), name);
    t.match(
      lines.find(({ what }) => what === "sent to completed, median"),
      { measured: 12, published: null },
    );
  }
  t.same(
    rowsOf(brokers, asItIs).map(({ name }) => name),
    ["SNS and SQS", "BullMQ"],
  );
});
