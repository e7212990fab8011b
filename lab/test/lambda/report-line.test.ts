/** REPORT lines as AWS and MiniStack write them, and lines that only look like them. */

import fc from "fast-check";
import t from "tap";
import { parseInvoked, parseReport } from "../../src/lambda/report-line.ts";

const id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95";

t.test("AWS, a cold start: with the init's duration", async (t) => {
  const line = `REPORT RequestId: ${id}\tDuration: 3006.09 ms\tBilled Duration: 3073 ms\tMemory Size: 512 MB\tMax Memory Used: 94 MB\tInit Duration: 65.91 ms\t`;
  t.same(parseReport(line), {
    requestId: id,
    durationMs: 3006.09,
    billedMs: 3073,
    memoryMb: 512,
    maxMemoryMb: 94,
    initMs: 65.91,
    status: "success",
  });
});

t.test("AWS, a warm start with tracing on: its trace comes after the figures", async (t) => {
  const line = `REPORT RequestId: ${id}\tDuration: 3004.31 ms\tBilled Duration: 3005 ms\tMemory Size: 512 MB\tMax Memory Used: 95 MB\t\nXRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5xmpl2d1f6f85\tSampled: true\t\n`;
  t.match(parseReport(line), { durationMs: 3004.31, initMs: null, status: "success" });
});

t.test("AWS, a time-out", async (t) => {
  const line = `REPORT RequestId: ${id}\tDuration: 10000.00 ms\tBilled Duration: 10000 ms\tMemory Size: 512 MB\tMax Memory Used: 95 MB\tStatus: timeout`;
  t.match(parseReport(line), { durationMs: 10000, status: "timeout" });
});

t.test("AWS with JSON as the log format", async (t) => {
  const metrics = { durationMs: 73.15, billedDurationMs: 74, memorySizeMB: 512, maxMemoryUsedMB: 65 };
  const line = (more: object) =>
    JSON.stringify({
      time: "2026-01-02T03:04:05.678Z",
      type: "platform.report",
      record: { requestId: id, metrics: { ...metrics, ...more }, status: "success" },
    });
  t.match(parseReport(line({ initDurationMs: 293.51 })), {
    requestId: id,
    durationMs: 73.15,
    initMs: 293.51,
  });
  t.match(parseReport(line({})), { billedMs: 74, maxMemoryMb: 65, initMs: null });
});

t.test("MiniStack: whole milliseconds, and no init's duration, cold or warm", async (t) => {
  const line = `REPORT RequestId: ${id}\tDuration: 3142 ms\tBilled Duration: 3142 ms\tMemory Size: 512 MB\tMax Memory Used: 71 MB`;
  t.same(parseReport(line), {
    requestId: id,
    durationMs: 3142,
    billedMs: 3142,
    memoryMb: 512,
    maxMemoryMb: 71,
    initMs: null,
    status: "success",
  });
});

t.test("no other line is a report", async (t) => {
  for (const line of [
    `START RequestId: ${id} Version: $LATEST`,
    `END RequestId: ${id}`,
    "REPORT",
    `REPORT RequestId: ${id}`,
    `REPORT RequestId: ${id}\tDuration: soon ms\tBilled Duration: 1 ms\tMemory Size: 1 MB\tMax Memory Used: 1 MB`,
    `REPORT RequestId: ${id}\tDuration: 1 s\tBilled Duration: 1 ms\tMemory Size: 1 MB\tMax Memory Used: 1 MB`,
    `the line REPORT RequestId: ${id}\tDuration: 1 ms\tBilled Duration: 1 ms\tMemory Size: 1 MB\tMax Memory Used: 1 MB`,
    '{"type":"platform.start","record":{"requestId":"1"}}',
    "{",
    "",
  ]) {
    t.equal(parseReport(line), undefined, line);
  }
});

t.test("no line makes the parsers fail", async (t) => {
  const any = fc.oneof(
    fc.string(),
    fc.json(),
    fc.string().map((text) => `REPORT ${text}`),
  );
  fc.assert(
    fc.property(any, (line) => {
      parseReport(line);
      parseInvoked(line);
    }),
  );
  t.pass("none did");
});

t.test("the function's own line, with and without what the platform puts before it", async (t) => {
  const own = { level: "info", name: "orders-processor-lambda", msg: "invoked" };
  const cold = JSON.stringify({ ...own, request_id: id, cold_start: true, init_ms: 84.2 });
  t.same(parseInvoked(cold), { requestId: id, coldStart: true, ownInitMs: 84.2 });
  t.same(parseInvoked(`2026-01-02T03:04:05.678Z\t${id}\tINFO\t${cold}`), {
    requestId: id,
    coldStart: true,
    ownInitMs: 84.2,
  });
  const warm = JSON.stringify({ ...own, request_id: id, cold_start: false });
  t.same(parseInvoked(warm), { requestId: id, coldStart: false, ownInitMs: null });
  t.equal(parseInvoked(JSON.stringify({ ...own, msg: "order processed" })), undefined);
});
