/** Invocations from log lines, and figures from invocations. */

import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import t from "tap";
import { lambdaFigures } from "../../src/lambda/figures.ts";
import { invocationsOf, readInvocations } from "../../src/lambda/invocations.ts";

function report(id: string, ms: number, more = "") {
  return `REPORT RequestId: ${id}\tDuration: ${ms} ms\tBilled Duration: ${Math.ceil(ms)} ms\tMemory Size: 512 MB\tMax Memory Used: 90 MB${more}`;
}

function invoked(id: string, initMs?: number) {
  const cold = { cold_start: initMs !== undefined, ...(initMs !== undefined && { init_ms: initMs }) };
  return JSON.stringify({ msg: "invoked", request_id: id, ...cold });
}

t.test("the published figures come out of lines as AWS writes them", async (t) => {
  const cold = [1, 2, 3].map((n) => ({ at: n, line: report(`c${n}`, 3006.09, "\tInit Duration: 65.91 ms") }));
  const warm = [4, 5].map((n) => ({ at: n, line: report(`w${n}`, 3004) }));
  const figures = lambdaFigures(invocationsOf([...cold, ...warm]));
  t.match(figures, {
    invocations: 5,
    init_ms: 65.91,
    own_init_ms: null,
    memory_mb: 512,
    max_memory_mb: 90,
    failed: 0,
  });
  t.match(figures.cold, { count: 3, total_ms: 3072 });
  t.match(figures.warm, { count: 2, total_ms: 3004 });
  t.equal(figures.overhead_percent?.toFixed(1), "2.3", "published as 2.2: 68 of 3,072");
});

t.test("where reports tell of no init, the function's own lines tell cold from warm", async (t) => {
  const lines = [
    { at: 3, line: report("b", 3010) },
    { at: 1, line: invoked("a", 80.5) },
    { at: 2, line: invoked("b") },
    { at: 2, line: report("a", 3110) },
  ];
  const invocations = invocationsOf(lines);
  t.match(invocations, [
    { report: { requestId: "a" }, coldStart: true, ownInitMs: 80.5 },
    { report: { requestId: "b" }, coldStart: false },
  ]);
  const figures = lambdaFigures(invocations);
  t.match(figures, { init_ms: null, own_init_ms: 80.5, cold: { total_ms: 3110 }, warm: { total_ms: 3010 } });
  t.equal(figures.overhead_percent?.toFixed(2), "3.32");
});

t.test("absence is told as such", async (t) => {
  t.same(lambdaFigures([]), {
    invocations: 0,
    cold: { count: 0, total_ms: null },
    warm: { count: 0, total_ms: null },
    init_ms: null,
    own_init_ms: null,
    overhead_percent: null,
    memory_mb: null,
    max_memory_mb: null,
    failed: 0,
  });
  const onlyWarm = lambdaFigures(invocationsOf([{ at: 1, line: report("a", 3000) }]));
  t.match(onlyWarm, { warm: { count: 1 }, overhead_percent: null });
});

t.test("what failed is counted and left out of the figures", async (t) => {
  const figures = lambdaFigures(
    invocationsOf([
      { at: 1, line: report("a", 3000) },
      { at: 2, line: report("b", 10_000, "\tStatus: timeout") },
    ]),
  );
  t.match(figures, { invocations: 2, failed: 1, warm: { count: 1, total_ms: 3000 } });
});

/** A client whose requests are answered here. */
function clientThat(answer: (input: { nextToken?: string }) => object) {
  const client = new CloudWatchLogsClient({ region: "us-west-2" });
  client.send = (async ({ input }: { input: object }) => answer(input)) as unknown as typeof client.send;
  return client;
}

t.test("all pages are read, and an unknown function has no invocations yet", async (t) => {
  const pages: Record<string, object> = {
    "": { events: [{ timestamp: 1, message: `${report("a", 1)}\n` }], nextToken: "two" },
    two: { events: [], nextToken: "three" },
    three: { events: [{ timestamp: 2, message: report("b", 2) }] },
  };
  const paged = clientThat(({ nextToken = "" }) => pages[nextToken] ?? {});
  t.match(await readInvocations(paged, "f", { since: 0 }), [
    { report: { requestId: "a" } },
    { report: { requestId: "b" } },
  ]);
  const missing = clientThat(() => {
    throw Object.assign(new Error("no such group"), { name: "ResourceNotFoundException" });
  });
  t.same(await readInvocations(missing, "f", { since: 0 }), []);
});

t.test("logs without an end are given up, not read for ever", async (t) => {
  let asked = 0;
  const endless = clientThat(() => {
    asked += 1;
    return { events: [], nextToken: "more" };
  });
  await t.rejects(readInvocations(endless, "f", { since: 0 }), {
    code: "COMMAND_FAILED",
    message: /too long/,
  });
  t.equal(asked, 100);
});
