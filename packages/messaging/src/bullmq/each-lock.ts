/** One change to each of several locked jobs, and what came of it: each has its own outcome. */

import { BrokerUnavailable } from "../errors.ts";
import { nameOf } from "./redis.ts";

export interface Outcomes {
  /** Their lock is gone: by another consumer, or by time. */
  readonly refused: readonly string[];
  /** By receipt, what else went wrong, which says nothing of the lock. The change may have been made all the same. */
  readonly failed: ReadonlyMap<string, unknown>;
}

export async function changeEach(
  receipts: readonly string[],
  change: (receipt: string) => Promise<unknown>,
): Promise<Outcomes> {
  const ends = await Promise.allSettled(receipts.map(change));
  const refused: string[] = [];
  const failed = new Map<string, unknown>();
  for (const [at, end] of ends.entries()) {
    if (end.status === "fulfilled") continue;
    const receipt = receipts[at] ?? "";
    // BullMQ's scripts answer with a number when the job is not locked, or not by this token, or not there.
    if (typeof end.reason?.code === "number") refused.push(receipt);
    else failed.set(receipt, end.reason);
  }
  return { refused, failed };
}

/** The receipts that were refused. @throws BrokerUnavailable when others failed, with the first reason as its cause */
export function refusedOnly({ refused, failed }: Outcomes, what: string): string[] {
  const [cause] = failed.values();
  if (failed.size > 0)
    throw new BrokerUnavailable(`${failed.size} messages could not be ${what}: ${nameOf(cause)}`, { cause });
  return [...refused];
}
