/**
 * What clients of an auction were told, from the load generator's lines: a line an answer, the same fields as everywhere and those of
 * a bid behind them. Read once, line by line, in memory for the bids and not for the answers.
 *
 *     {"at":…,"wall_ms":…,"ms":…,"status":201,"step":"load","op":"bid","id":"<bid's UUID>","amount":1250,"bidder":"bidder-7","seq":12,"answered_id":"<the same>","answered_amount":1250}
 *     {"at":…,"wall_ms":…,"ms":…,"status":409,"step":"load","op":"bid","id":"<bid's UUID>","amount":1250,"bidder":"bidder-7","seq":12,"highest":1300}
 */

import { open } from "node:fs/promises";
import { z } from "zod";
import { LOAD_BEGINS } from "../experiments/answer-lines.ts";
import { SentBids } from "./bidding-sent.ts";

/** The operation of a line that is about a bid. */
export const BID = "bid";

const anyLine = z.object({ op: z.string(), status: z.int() });

const bidLine = z.object({
  at: z.int(),
  wall_ms: z.int().min(0),
  ms: z.number(),
  status: z.int(),
  id: z.string(),
  amount: z.number(),
  bidder: z.string(),
  seq: z.number().optional(),
  highest: z.number().nullable().optional(),
  answered_id: z.string().optional(),
  answered_amount: z.number().optional(),
});

export interface ReadAnswers {
  readonly sent: SentBids;
  /** Lines that could be read, also of other operations. */
  readonly lines: number;
  readonly unreadable: number;
}

/**
 * An absent file has no lines.
 * @throws the system's error when the file is there and cannot be read; the signal's reason
 */
export async function readBidAnswers(file: string, signal?: AbortSignal): Promise<ReadAnswers> {
  const sent = new SentBids();
  let [lines, unreadable] = [0, 0];
  const take = (line: string) => {
    if (line === "" || line.startsWith(LOAD_BEGINS)) return;
    if (readLine(sent, line)) lines += 1;
    else unreadable += 1;
  };
  const handle = await open(file, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (handle === undefined) return { sent, lines, unreadable };
  // Whole chunks are split at once: readline hands lines out one by one, which takes twice as long.
  let rest = "";
  const stream = handle.createReadStream({ encoding: "utf8", highWaterMark: 1 << 18 });
  for await (const chunk of stream) {
    signal?.throwIfAborted();
    const pieces = (rest + chunk).split("\n");
    rest = pieces.pop() ?? "";
    for (const line of pieces) take(line);
  }
  take(rest);
  return { sent, lines, unreadable };
}

function readLine(sent: SentBids, line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    if (anyLine.parse(value).op !== BID) return true;
    return sent.add(bidLine.parse(value));
  } catch {
    return false;
  }
}
