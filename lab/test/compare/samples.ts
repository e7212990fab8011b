/** What the tests of this folder compare: drawn values, and simulated repeats of a run with noise of a known shape. */
import fc from "fast-check";
import { seededRandom } from "../../src/models/seeded-random.ts";

/** Positive values of few digits, so that ties are common. */
const positive = fc.integer({ min: 1, max: 400 }).map((value) => value / 8);

export function side(minLength: number, maxLength: number): fc.Arbitrary<number[]> {
  return fc.array(positive, { minLength, maxLength });
}

/** The value of one run; `at` is its place among all runs, 0 for the first and 1 for the last. */
export type Noise = (draw: Draw, at: number) => number;

export interface Draw {
  /** From 0 to below 1. */
  uniform(): number;
  /** Mean 0, deviation 1. */
  normal(): number;
}

/** Run-to-run variation of 3 %, as repeats on a quiet machine have. */
const CV = 0.03;

export const noises: Readonly<Record<string, Noise>> = {
  "log-normal": ({ normal }) => 20 * Math.exp(CV * normal()),
  "wide log-normal": ({ normal }) => 20 * Math.exp(0.5 * normal()),
  "one run in seven an outlier": ({ normal, uniform }) =>
    20 * Math.exp(CV * normal()) * (uniform() < 1 / 7 ? 1 + 3 * uniform() : 1),
  "rounded to whole milliseconds": ({ normal }) => Math.round(20 * Math.exp(CV * normal())),
  "mostly zero": ({ uniform }) => (uniform() < 0.7 ? 0 : uniform()),
  "drift of 10 %": ({ normal }, at) => 20 * Math.exp(CV * normal()) * (1 + 0.1 * at),
  "drift of 50 %": ({ normal }, at) => 20 * Math.exp(CV * normal()) * (1 + 0.5 * at),
  "a step of 30 % in the middle": ({ normal }, at) => 20 * Math.exp(CV * normal()) * (at < 0.5 ? 1 : 1.3),
  "slow waves": ({ normal }, at) => 20 * Math.exp(CV * normal()) * (1 + 0.1 * Math.sin(9 * at)),
};

export function drawOf(seed: number): Draw {
  const uniform = seededRandom(seed);
  // Box and Muller.
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

/** Which side each run belongs to, in the order in which they are made. */
export const interleaved = (runs: number): string => "AB".repeat(runs);
export const oneAfterTheOther = (runs: number): string => "A".repeat(runs) + "B".repeat(runs);

/** Two sides of one noise; B is `factor` times what it would be. */
export function simulate(draw: Draw, noise: Noise, order: string, factor = 1): { a: number[]; b: number[] } {
  const sides = { a: [] as number[], b: [] as number[] };
  [...order].forEach((name, index) => {
    const value = noise(draw, index / (order.length - 1));
    if (name === "A") sides.a.push(value);
    else sides.b.push(value * factor);
  });
  return sides;
}
