import t from "tap";
import { MemoryArchiveStore } from "../../src/adapters/memory-archive-store.ts";
import { archiveStoreContract } from "../contract/archive-store-contract.ts";

const store = new MemoryArchiveStore();
archiveStoreContract(t, store, async (id) => ({
  opened: store.opened.get(id),
  ended: store.ended.get(id),
  bids: [...store.bids.values()]
    .filter(({ auction_id }) => auction_id === id)
    .map(({ seq, bid_id, bidder_id, amount, at }) => ({ seq, bid_id, bidder_id, amount, at }))
    .sort((a, b) => a.seq - b.seq),
  conflicts: store.conflicts.flatMap((event) =>
    event.auction_id === id && event.type !== "opened" ? [{ type: event.type, seq: event.seq }] : [],
  ),
}));
