/**
 * The keys that bidding has in Redis. They share a hash tag, since a script may only touch keys of one slot.
 *
 * - `auction`: hash of item, starting_price, min_increment, created_at, ends_at, seq, and of the highest bid amount, bid_id,
 *   bidder_id; ended_at once its end has been announced.
 * - `answers`: hash of an auction's bid ids and what each was answered; bounded but for accepted bids.
 * - `auctions`: sorted set of all auction ids, all with score 0, so that they are in the order of their ids.
 * - `ends`: sorted set of the ids of auctions whose end has not been announced yet, by `ends_at`.
 * - `gone`: sorted set of the ids of auctions whose keys have an expiry, by that time.
 * - `outbox`: stream of events that the archive does not have yet. Its length is how far the archive lags behind.
 * - `relay`: who relays the outbox.
 */

const tag = "{bidding}";

export const auctionKey = (auctionId: string) => `${tag}:auction:${auctionId}`;
export const answersKey = (auctionId: string) => `${tag}:answers:${auctionId}`;
export const auctionsKey = `${tag}:auctions`;
export const endsKey = `${tag}:ends`;
export const goneKey = `${tag}:gone`;
export const outboxKey = `${tag}:outbox`;
export const relayKey = `${tag}:relay`;
