/** How readings of the queue are shown, on a terminal and off one. */
import { stripVTControlCharacters } from "node:util";
import t from "tap";
import { LabError } from "../../src/cli/lab-error.ts";
import { Output } from "../../src/cli/output.ts";
import { asJson, roundUp, showLines } from "../../src/commands/queue-depth.ts";
import type { QueueReading } from "../../src/systems/orders/watch-queue.ts";

const at = new Date("2026-01-02T03:04:05.678Z");
const notRunning = new LabError("NOT_RUNNING", "The lab is not running.");

function known(visible: number, inFlight: number, deadLettered = 0): QueueReading {
  const depth = { visible, inFlight, delayed: 0, deadLettered };
  return { at, state: "known", broker: "sns-sqs", depth };
}

/** What readings look like on a terminal of this width, or off one. */
function shown(readings: readonly QueueReading[], columns?: number): { text: string; lines: string[] } {
  let text = "";
  const stdout = {
    write: (more: string) => {
      text += more;
    },
    isTTY: columns !== undefined,
    columns,
  };
  const show = showLines(new Output({ stdout, stderr: stdout, environment: {} }));
  for (const reading of readings) show(reading);
  return { text, lines: stripVTControlCharacters(text).trimEnd().split("\n") };
}

t.test("off a terminal: plain columns, one header, no bar", async (t) => {
  const { text, lines } = shown([known(3, 20), known(12_345, 1_000, 7)]);
  t.equal(text, stripVTControlCharacters(text), "no colours");
  t.equal(lines.length, 4);
  t.match(lines[0], "SNS and SQS");
  t.match(lines[1], /^TIME +VISIBLE +IN FLIGHT +DELAYED +DEAD-LETTERED$/);
  t.match(lines[2], /^\d\d:\d\d:05 +3 +20 +0 +0$/);
  t.match(lines[3], /^\d\d:\d\d:05 +12345 +1000 +0 +7$/);
  t.equal(lines[3]?.length, lines[1]?.length, "numbers end below the ends of their titles");
});

t.test(
  "on a terminal: a bar of what waits and what is in hand, with what a whole one stands for",
  async (t) => {
    const { lines } = shown([known(0, 0), known(300, 100), known(1, 0)], 140);
    const bars = lines.slice(2).map((line) => line.slice(line.lastIndexOf("  ", line.search(/[█▒│]/)) + 2));
    t.match(lines[2], /│ 10$/, "ten at least");
    t.notMatch(lines[2], /[█▒]/);
    const [full, light] = [/█/g, /▒/g].map((cell) => lines[3]?.match(cell)?.length ?? 0);
    t.match(lines[3], /│ 500$/, bars.join());
    t.equal(full, 36, "300 of 500 in 60 cells");
    t.equal(light, 12, "100 of 500");
    t.match(lines[4], / █ /, "whatever is there at all is seen");
    t.match(lines[4], /│ 500$/, "the scale stays");
    t.ok(
      lines.every((line) => line.length <= 140),
      "no line is wrapped",
    );
  },
);

t.test("a terminal that is narrow gets no bar", async (t) => {
  t.notMatch(shown([known(5, 5)], 60).text, /[█▒│]/);
});

t.test("what is wrong is said, and another broker begins a table of its own", async (t) => {
  const away: QueueReading = { at, state: "broker-away", broker: "sns-sqs", reason: "connect refused" };
  const down: QueueReading = { at, state: "lab-down", reason: "The lab is not running.", error: notRunning };
  const other = { ...known(1, 1), broker: "bullmq" } as QueueReading;
  const { lines } = shown([known(1, 1), away, down, known(1, 1), other]);
  t.match(lines[3], /:05 {2}the broker is away: connect refused$/);
  t.match(lines[4], /:05 {2}the lab is down: The lab is not running\.$/);
  t.match(lines[6], "BullMQ");
  t.equal(lines.filter((line) => line.startsWith("TIME")).length, 2);
});

t.test("JSON lines have the same keys whatever is known", async (t) => {
  const down: QueueReading = { at, state: "lab-down", reason: "The lab is not running.", error: notRunning };
  const [full, empty] = [asJson(known(1, 2, 3)), asJson(down)];
  t.same(Object.keys(full), Object.keys(empty));
  t.match(full, {
    at: at.toISOString(),
    state: "known",
    visible: 1,
    in_flight: 2,
    dead_lettered: 3,
    reason: null,
  });
  t.match(empty, { state: "lab-down", broker: null, visible: null, reason: "The lab is not running." });
});

t.test("the scale goes by 1, 2, 5, 10", async (t) => {
  for (const [count, scale] of [
    [0, 1],
    [1, 1],
    [2, 2],
    [3, 5],
    [7, 10],
    [11, 20],
    [500, 500],
    [501, 1000],
    [3420, 5000],
  ] as const) {
    t.equal(roundUp(count), scale, String(count));
  }
});
