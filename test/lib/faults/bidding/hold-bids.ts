/** Bids in the hands of the archiver, for certain: it has been delivered them, and cannot write them. */

import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import type { BiddingWitness } from "./bidding-witness.ts";
import type { WiredBidding } from "./wired-bidding.ts";

export const IN_HAND = 20;

/** @returns how many events it holds: the bids */
export async function holdBids(t: Test, lab: WiredBidding, witness: BiddingWitness) {
  // That the auction was opened would be in its hands, too, and is written past the lock.
  await witness.settled();
  const lock = await lab.lockArchive(t);
  await witness.bidders.bidInTurn(IN_HAND);
  const held = await lab.unarchived();
  await waitFor("all to be delivered", async () => (await lab.stream()).unsettled === held);
  return { held, ...lock };
}
