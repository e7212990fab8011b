/** What customers met at the two doors, the synchronous one and the queued one, counted within the time of the load. */

import { z } from "zod";
import { SYNC } from "../../verdicts/orders-conservation.ts";
import { readJsonLines } from "../answers-file.ts";
import type { Charge } from "./orders-api.ts";

const answerSchema = z.object({
  at: z.number(),
  wall_ms: z.number(),
  ms: z.number(),
  id: z.string(),
  op: z.string(),
  status: z.int(),
  error: z.int().optional(),
});

export type DoorAnswer = z.output<typeof answerSchema>;

export interface Doors {
  readonly sync: readonly DoorAnswer[];
  readonly async: readonly DoorAnswer[];
}

export async function readDoors(answersFile: string): Promise<Doors> {
  const { values } = await readJsonLines(answersFile, answerSchema);
  const { sync = [], async = [] } = Object.groupBy(values, ({ op }) => (op === SYNC ? "sync" : "async"));
  return { sync, async };
}

/** k6's code for a client that hung up. */
const TIMED_OUT = 1050;

/** @param seconds of load at each door */
export function syncFindings(
  doors: Doors,
  charges: readonly Charge[],
  seconds: number,
): Record<string, number> {
  const sync = countDoor(doors.sync, seconds, 200);
  const queued = countDoor(doors.async, seconds, 202);
  const chargedAt = new Map(charges.map(({ order_id, charged_at }) => [order_id, Date.parse(charged_at)]));
  const unserved = doors.sync.filter(({ status }) => status !== 200);
  const charged = unserved.flatMap(({ id }) => chargedAt.get(id) ?? []);
  return {
    sync_attempted: doors.sync.length,
    sync_finished: sync.finished,
    sync_succeeded: sync.succeeded,
    sync_failed: sync.finished - sync.succeeded,
    sync_failed_percent: sync.finished === 0 ? 0 : (100 * (sync.finished - sync.succeeded)) / sync.finished,
    sync_timed_out: sync.timedOut,
    sync_median_ms: sync.medianMs,
    sync_mean_ms: sync.meanMs,
    sync_per_s: sync.finished / seconds,
    sync_charged_after_hang_up: charged.filter((at) => at < sync.ends).length,
    sync_charged_after_hang_up_in_the_end: charged.length,
    async_attempted: doors.async.length,
    async_finished: queued.finished,
    async_failed: queued.finished - queued.succeeded,
    async_median_ms: queued.medianMs,
    async_mean_ms: queued.meanMs,
    async_per_s: queued.finished / seconds,
  };
}

/** Of the answers that were in, or given up, before the load was over. */
function countDoor(answers: readonly DoorAnswer[], seconds: number, success: number) {
  const began = answers.reduce((first, { at }) => Math.min(first, at), Number.POSITIVE_INFINITY);
  const ends = began + seconds * 1000;
  const inTime = answers.filter(({ at, wall_ms }) => at + wall_ms < ends);
  // Without an answer, the time for which its customer waited.
  const waits = inTime.map(({ status, ms, wall_ms }) => (status === 0 ? wall_ms : ms)).sort((a, b) => a - b);
  return {
    ends,
    finished: inTime.length,
    succeeded: inTime.filter(({ status }) => status === success).length,
    timedOut: inTime.filter(({ status, error }) => status === 0 && error === TIMED_OUT).length,
    medianMs: waits[waits.length >> 1] ?? 0,
    meanMs: waits.length === 0 ? 0 : waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
  };
}
