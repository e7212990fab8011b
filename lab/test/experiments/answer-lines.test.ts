import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { AnswerTail, type SeenAnswer } from "../../src/experiments/answer-lines.ts";

/** `ms` as k6 writes it: whole nanoseconds, so six decimals at most. */
interface Line extends Omit<SeenAnswer, "micros"> {
  readonly nanos: number;
}

const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/);
const line: fc.Arbitrary<Line> = fc.record({
  at: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  wallMs: fc.nat({ max: 3_600_000 }),
  nanos: fc.oneof(fc.nat({ max: 5_000 }), fc.integer({ min: 0, max: 3_600_000_000_000 })),
  status: fc.constantFrom(0, 100, 200, 202, 301, 399, 400, 404, 503, 599),
  timedOut: fc.boolean(),
  step: name,
  op: name,
});
/** Near misses, above all: what a careless parser would take for an answer. */
const noLine = fc.constantFrom(
  "rubbish",
  " ",
  "{}",
  '{"at":1',
  '{"at":,"wall_ms":1,"ms":1,"status":200,"step":"a","op":"b"}',
  '{"at":1,"wall_ms":-1,"ms":1,"status":200,"step":"a","op":"b"}',
  '{"at":1,"wall_ms":1,"ms":1.,"status":200,"step":"a","op":"b"}',
  '{"at":1,"wall_ms":1,"ms":1e-7,"status":200,"step":"a","op":"b"}',
  '{"at":1,"wall_ms":1,"ms":1,"status":null,"step":"a","op":"b"}',
  '{"at":1,"wall_ms":1,"ms":1,"status":200,"step":"a","op":"b',
  '{"at":1,"wall_ms":1,"ms":1,"status":200,"step":"a',
  '{"wall_ms":1,"at":1,"ms":1,"status":200,"step":"a","op":"b"}',
  '{"id":"x","at":1,"wall_ms":1,"ms":1,"status":200,"step":"a","op":"b"}',
);

function written({ at, wallMs, nanos, status, timedOut, step, op }: Line): string {
  const error = timedOut ? { error: 1050 } : { error: 1051 };
  return JSON.stringify({ at, wall_ms: wallMs, ms: nanos / 1e6, status, step, op, id: 'an "id"', ...error });
}

function expected({ nanos, ...rest }: Line): SeenAnswer {
  // An answer that came is none that did not come in time.
  return {
    ...rest,
    timedOut: rest.timedOut && rest.status === 0,
    micros: Number((BigInt(nanos) + 500n) / 1000n),
  };
}

/** What a tail hands out is valid only during the call. */
function collector() {
  const seen: SeenAnswer[] = [];
  return { seen, take: (answer: SeenAnswer) => void seen.push({ ...answer }) };
}

let files = 0;
const directory = t.testdir();
const newFile = () => join(directory, `${files++}.jsonl`);

t.test("what k6 writes is what is read, in whatever pieces it comes, each line once", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 4, arbitrary: line }, { weight: 1, arbitrary: noLine }, fc.constant("")), {
        maxLength: 30,
      }),
      fc.array(fc.nat({ max: 5000 }), { maxLength: 8 }),
      async (lines, cuts) => {
        const text = lines.map((each) => `${typeof each === "string" ? each : written(each)}\n`).join("");
        const answers = lines.filter((each) => typeof each !== "string");
        const file = newFile();
        await writeFile(file, "");
        const tail = new AnswerTail(file);
        const { seen, take } = collector();
        const ends = [...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
        let begin = 0;
        for (const end of ends) {
          await appendFile(file, text.slice(begin, end));
          begin = end;
          await tail.read(take);
        }
        t.same(seen, answers.map(expected));
        t.equal(tail.answers, answers.length);
        t.equal(tail.errors, answers.filter(({ status }) => status === 0 || status >= 400).length);
        t.equal(tail.unreadable, lines.filter((each) => typeof each === "string" && each !== "").length);
      },
    ),
    { seed: 5, numRuns: 100 },
  );
});

t.test("latencies are whole microseconds, rounded", async (t) => {
  const cases = [
    ["0", 0],
    ["7", 7000],
    ["0.4", 400],
    ["3.412", 3412],
    ["3.4125", 3413],
    ["3.41249", 3412],
    ["0.0005", 1],
    ["0.000499", 0],
    ["9.9995", 10_000],
    ["9999.999999", 10_000_000],
  ] as const;
  const file = newFile();
  const lines = cases.map(
    ([ms]) => `{"at":1,"wall_ms":1,"ms":${ms},"status":200,"step":"load","op":"get","id":"x"}\n`,
  );
  await writeFile(file, lines.join(""));
  const { seen, take } = collector();
  await new AnswerTail(file).read(take);
  t.same(
    seen.map(({ micros }) => micros),
    cases.map(([, micros]) => micros),
  );
});

t.test("an absent file has no lines yet", async (t) => {
  const file = newFile();
  const tail = new AnswerTail(file);
  await tail.read();
  t.equal(tail.answers, 0);
  await writeFile(file, '{"at":1,"wall_ms":1,"ms":1,"status":200,"step":"load","op":"get"}\n');
  await tail.read();
  t.equal(tail.answers, 1);
  await t.rejects(new AnswerTail(directory).read(), { code: "EISDIR" }, "anything else is told");
});

const good: Line = {
  at: 1,
  wallMs: 2,
  nanos: 3_000_000,
  status: 200,
  timedOut: false,
  step: "load",
  op: "get",
};
const MIB = 2 ** 20;

for (const [what, length] of [
  ["one byte under the limit", MIB - 1],
  ["as long as the limit", MIB],
  ["one byte over the limit", MIB + 1],
  ["three times the limit", 3 * MIB + 300],
] as const) {
  t.test(`a line that is ${what} is counted once, and the next is read`, async (t) => {
    // Whatever part of it is looked at by itself, it looks like answers.
    const overlong = written(good)
      .padEnd(128, " ")
      .repeat(Math.ceil(length / 128))
      .slice(0, length);
    const file = newFile();
    await writeFile(file, `${written(good)}\n${overlong.replace("{", "[")}`);
    const tail = new AnswerTail(file);
    const { seen, take } = collector();
    await tail.read(take);
    await appendFile(file, `\n${written(good)}\n`);
    await tail.read(take);
    t.same(seen, [expected(good), expected(good)]);
    t.equal(tail.unreadable, 1);
  });
}
