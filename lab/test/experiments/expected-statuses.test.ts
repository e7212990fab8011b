/** Which answers are errors, wherever they are counted. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { AnswerTail } from "../../src/experiments/answer-lines.ts";
import { isError } from "../../src/experiments/expected-statuses.ts";
import { LatencyRecorder } from "../../src/experiments/latency.ts";

const expected = { bid: [409] };

t.test("a refusal that is expected of an operation is none, and any other is", async (t) => {
  for (const [status, op, error] of [
    [201, "bid", false],
    [399, "bid", false],
    [409, "bid", false],
    [410, "bid", true],
    [503, "bid", true],
    [0, "bid", true],
    [409, "place", true],
    [409, "constructor", true],
  ] as const) {
    t.equal(isError({ status, op }, expected), error, `${status} to ${op}`);
    t.equal(isError({ status, op }, {}), status === 0 || status >= 400, `${status} where none is expected`);
  }
});

t.test("both who count the lines of a run count the same", async (t) => {
  const file = join(t.testdir(), "answers.jsonl");
  const lines = [201, 409, 409, 410, 0].map(
    (status) =>
      `{"at":1763706000000,"wall_ms":1,"ms":1,"status":${status},"step":"load","op":"bid","id":"x"}\n`,
  );
  await writeFile(file, lines.join(""));
  for (const [statuses, errors] of [
    [expected, 2],
    [{}, 4],
  ] as const) {
    const tail = new AnswerTail(file, statuses);
    const recorder = new LatencyRecorder(statuses);
    await tail.read(recorder.record);
    t.equal(tail.errors, errors);
    t.match(recorder.series, [{ answers: 5, errors, unanswered: 1 }]);
  }
});
