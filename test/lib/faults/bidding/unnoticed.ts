/** An outage that no bidder notices. */

import type { Test } from "tap";

/**
 * A machine that stands still for 1.5 s has Redis given up once, which each of the bidders may be told; an outage that they feel
 * is told hundreds of times.
 */
export function unnoticed(t: Test, { unanswered }: { readonly unanswered: number }, bidders: number): void {
  t.ok(unanswered <= bidders, `no bidder noticed: ${unanswered}`);
}
