/**
 * Makes up an auction: `node bids.ts <directory> <bids>` writes answers.jsonl as a load generator does, archive.jsonl, a bid a line, newest
 * first, and auction.json with what Redis and the live subscribers have in the end.
 */

import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { simulateAuction } from "../../lab/test/verdicts/simulated-auction.ts";

const [directory = ".", bids = "500000"] = process.argv.slice(2);
const { answers, archive, auction, live } = simulateAuction(500, { bids: Number(bids), lost: 0.01 });

await write("answers.jsonl", answers, ({ at, wall_ms, ms, status, ...bid }) => ({
  at,
  wall_ms,
  ms,
  status,
  step: "load",
  op: "bid",
  ...bid,
}));
await write("archive.jsonl", archive, (bid) => bid);
const seen = { watchers: live.watchers, prices: [...live.prices], bidders: [...live.bidders] };
await writeFile(join(directory, "auction.json"), JSON.stringify({ auction, seen }));

async function write<T>(name: string, all: readonly T[], line: (one: T) => object): Promise<void> {
  const lines = function* () {
    for (let at = 0; at < all.length; at += 1000) {
      yield all
        .slice(at, at + 1000)
        .map((one) => `${JSON.stringify(line(one))}\n`)
        .join("");
    }
  };
  await pipeline(Readable.from(lines()), createWriteStream(join(directory, name)));
}
