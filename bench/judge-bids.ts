/**
 * What the verdict on an auction takes, with half a million bids and every check of it: answers are made up by another process, and
 * read, held against the archive and judged as after a run. Goals: under 15 s of
 * processor time, which others on the machine do not change, and under 350 MB resident at any time. How many: BIDS=500000.
 */

import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { readBidAnswers } from "../lab/src/verdicts/bidding-answers.ts";
import { type ArchivedBid, ArchivedBids } from "../lab/src/verdicts/bidding-archive.ts";
import { judgeBidding } from "../lab/src/verdicts/bidding-conservation.ts";
import type { FinalAuction, WatcherReport } from "../lab/src/verdicts/bidding-evidence.ts";

const BIDS = Number(process.env.BIDS ?? 500_000);
const MOST_SECONDS = 15;
const MOST_MB = 350;

const root = await mkdtemp(join(tmpdir(), "parallax-bench-"));
try {
  await promisify(execFile)(process.execPath, [
    join(import.meta.dirname, "servers", "bids.ts"),
    root,
    String(BIDS),
  ]);
  let most = 0;
  const watch = setInterval(seen, 20);
  const before = process.cpuUsage();
  const began = performance.now();
  const read = await readBidAnswers(join(root, "answers.jsonl"));
  const answersRead = performance.now();
  const archive = await ArchivedBids.read(pages(join(root, "archive.jsonl")));
  const archiveRead = performance.now();
  const { auction, seen: live } = JSON.parse(await readFile(join(root, "auction.json"), "utf8")) as {
    auction: FinalAuction;
    seen: {
      watchers: WatcherReport[];
      prices: [number, number | null][];
      bidders: [number, string | null][];
    };
  };
  const judging = performance.now();
  const verdict = judgeBidding({
    ...read,
    requests: read.lines,
    auction,
    archive,
    drained: true,
    live: {
      watchers: live.watchers,
      prices: new Map(live.prices),
      bidders: new Map(live.bidders),
      disputed: new Set(),
    },
  });
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  clearInterval(watch);
  seen();

  const part = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  console.log(
    `${read.lines} answers about ${read.sent.size} bids, ${archive.size} archived: ${verdict.outcome}`,
  );
  console.log(
    `answers read in ${part(answersRead - began)}, the archive in ${part(archiveRead - answersRead)}, judged in ` +
      `${part(performance.now() - judging)}: ${seconds.toFixed(1)} s of processor time; at most ${most.toFixed(0)} MB`,
  );
  const met = verdict.outcome === "held" && seconds < MOST_SECONDS && most < MOST_MB;
  console.log(`goals, held within ${MOST_SECONDS} s and ${MOST_MB} MB: ${met ? "met" : "MISSED"}`);
  if (!met) process.exitCode = 1;

  function seen(): void {
    most = Math.max(most, process.memoryUsage().rss / 2 ** 20);
  }
} finally {
  await rm(root, { recursive: true, force: true });
}

async function* pages(file: string): AsyncGenerator<readonly ArchivedBid[]> {
  let page: ArchivedBid[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    page.push(JSON.parse(line) as ArchivedBid);
    if (page.length < 1000) continue;
    yield page;
    page = [];
  }
  yield page;
}
