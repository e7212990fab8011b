/** From the moment at which a client sends an order to the one at which it is completed: its client's clock, and the database's. */

import { z } from "zod";
import { readJsonLines } from "../answers-file.ts";
import { latencyFigures } from "../figures.ts";
import { newHistogram } from "../latency.ts";
import type { FoundOrder } from "./orders-api.ts";

const answerSchema = z.object({ at: z.number(), id: z.string(), status: z.int(), step: z.string() });

/** When each order of a step that was answered 202 was sent, in milliseconds since the epoch. */
export async function readSentOrders(answersFile: string, step: string): Promise<Map<string, number>> {
  const { values } = await readJsonLines(answersFile, answerSchema);
  const accepted = values.filter((answer) => answer.status === 202 && answer.step === step);
  return new Map(accepted.map(({ id, at }) => [id, at]));
}

export function endToEndFindings(
  sent: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, FoundOrder>,
): Record<string, number> {
  const histogram = newHistogram();
  for (const [id, at] of sent) {
    const completed = found.get(id)?.completed_at;
    if (completed === undefined) continue;
    // The two clocks may disagree by a millisecond, also where they are of one machine.
    histogram.recordValue(Math.max(1, (Date.parse(completed) - at) * 1000));
  }
  const figures = latencyFigures(histogram);
  return {
    completed: histogram.totalCount,
    ...(figures && {
      end_to_end_p50_ms: figures.p50,
      end_to_end_p95_ms: figures.p95,
      end_to_end_p99_ms: figures.p99,
      end_to_end_mean_ms: figures.mean,
    }),
  };
}
