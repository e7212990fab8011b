/** What a person reads of a calibration: false calls and misses stand out, and nothing is said of what is not known. */
import t from "tap";
import { judgeCalibration, type PairResult } from "../../src/calibration/judge-calibration.ts";
import { Output } from "../../src/cli/output.ts";
import { printCalibration, timeText } from "../../src/commands/print-calibration.ts";
import { asItIs } from "../../src/experiments/parameters.ts";

const plan = { pairs: 2, slowPairs: 1, repeats: 5, slowDown: 0.2, variant: asItIs };
const pair: PairResult = {
  kind: "A/A",
  number: 1,
  ratio: 1.001,
  lower: 0.96,
  upper: 1.04,
  call: "no difference shown",
  others: { metrics: 10, called: 1 },
  runs: { a: [], b: [] },
};

function printed(pairs: readonly PairResult[], remade = 0): string {
  let text = "";
  const sink = { write: (more: string) => (text += more) };
  const output = new Output({ stdout: sink, stderr: sink, environment: {} });
  printCalibration({ plan, pairs, remade, ...judgeCalibration(pairs) }, output);
  return text;
}

t.test("a calibration that held", async (t) => {
  const slow: PairResult = { ...pair, kind: "slow-down", ratio: 1.19, lower: 1.1, upper: 1.3, call: "worse" };
  const text = printed([pair, { ...pair, number: 2, lower: 0.9, upper: 1.1 }, slow], 3);
  t.match(text, /A\/A 1 +1\.001 {2}0\.960 to 1\.040 {2}no difference shown +1 of 10/);
  t.match(text, "✓ A/A: 0 of 2 called different (at most 1)");
  t.match(text, "✓ A slow-down of 20 % was found in 1 of 1 (at least 1)");
  t.match(text, "measured as 19 %");
  t.match(text, "Typical interval at 5 runs: ±4.1 %");
  t.match(text, "shows: 5.2 % in half of the comparisons, 12 % in all of them");
  t.match(text, "2 of 20 called different (not judged)");
  t.match(text, "3 runs were INVALID and made again");
});

t.test("false calls and misses", async (t) => {
  const wolf: PairResult = { ...pair, lower: 1.01, call: "worse" };
  const text = printed([wolf, { ...wolf, number: 2 }, { ...pair, kind: "slow-down" }]);
  t.match(text, /A\/A 1 .*worse {2}a false call/);
  t.match(text, /slow-down 1 .*no difference shown {2}missed/);
  t.match(text, "✗ A/A: 2 of 2 called different (at most 1)");
  t.match(text, "✗ A slow-down of 20 % was found in 0 of 1 (at least 1)");
});

t.test("one that was cut short says what there is", async (t) => {
  const text = printed([pair]);
  t.match(text, "✓ A/A: 0 of 1 called different");
  t.match(text, "? A slow-down of 20 %: not one comparison was made");
  t.notMatch(printed([]), "✓");
  t.notMatch(text, "measured as");
  t.notMatch(printed([]), /Typical|Smallest/);
});

t.test("an interval that is not bounded is called so, and shows nothing", async (t) => {
  const text = printed([{ ...pair, lower: null, upper: null }]);
  t.match(text, "not bounded to not bounded");
  t.notMatch(text, /Typical|Smallest/);
});

t.test("times", async (t) => {
  t.equal(timeText(75), "1:15");
  t.equal(timeText(4142.4), "69:02");
  t.equal(timeText(4.6), "0:05");
});
