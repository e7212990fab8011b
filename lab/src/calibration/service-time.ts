/**
 * The experiment that comparisons are calibrated on: a service of known speed under a short, steady load. It belongs to no
 * system of the lab, so it is not in the catalogue.
 */

import { z } from "zod";
import { readJsonLines } from "../experiments/answers-file.ts";
import type { Experiment, FinishedLoad } from "../experiments/experiment.ts";
import { noneOf, type Verdict, verdictOf } from "../verdicts/verdict.ts";
import { TIMED_SERVICE } from "./timed-runtime.ts";

const answerSchema = z.object({ id: z.string(), status: z.int(), answered_id: z.string().optional() });

export const serviceTime: Experiment = {
  system: "calibration",
  name: "service-time",
  summary: "a service of known speed, to find out what comparisons on this machine are worth",
  script: "calibration/echo.ts",
  parameters: {
    service_ms: {
      value: 20,
      meaning: "milliseconds that a request takes, in the mean",
      least: 1,
      most: 1000,
    },
    jitter: { value: 0.2, meaning: "standard deviation of that time, in means", least: 0, most: 5 },
    rate: { value: 100, meaning: "requests a second", least: 10, most: 1000, whole: true },
    seconds: { value: 1.5, meaning: "seconds of load", least: 1, most: 60 },
    seed: { value: 1, meaning: "which service times are drawn", least: 0, most: 2 ** 31 - 1, whole: true },
  },
  target: TIMED_SERVICE,
  load: ({ rate = 0, seconds = 0 }) => [
    // k6 knows no shorter one.
    { name: "warm-up", kind: "warm-up", arrivals: { model: "open", rate }, seconds: 1 },
    { name: "load", kind: "measured", arrivals: { model: "open", rate }, seconds },
  ],
  services: ({ service_ms, jitter, seed }) => ({
    [TIMED_SERVICE]: { SERVICE_MS: String(service_ms), JITTER: String(jitter), SEED: String(seed) },
  }),
  // Once the last answer is in, nothing is left.
  settleSeconds: 0,
  samples: [],
  observe: async () => ({
    sample: async () => ({}),
    drained: async () => true,
    judge: judgeEchoes,
    async [Symbol.asyncDispose]() {},
  }),
};

async function judgeEchoes({ answersFile, requests }: FinishedLoad): Promise<Verdict> {
  const { values: answers, unreadable } = await readJsonLines(answersFile, answerSchema);
  const wrong = answers.filter(({ id, status, answered_id }) => status !== 200 || answered_id !== id);
  const missing = Math.max(0, requests - answers.length);
  return verdictOf([
    noneOf(
      "every-answer-is-on-record",
      missing + unreadable > 0 ? [`${missing} without a line, ${unreadable} unreadable lines`] : [],
      {
        checked: requests,
        detail: "Every request that the load generator made has a line that can be read.",
      },
    ),
    noneOf(
      "answered-with-what-was-sent",
      wrong.map(({ id }) => id),
      { checked: answers.length, detail: "Each request is answered 200 with its own id." },
    ),
  ]);
}
