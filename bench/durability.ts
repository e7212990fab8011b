/**
 * What it costs to lose nothing with the machine's power: accepted bids a second on a Redis that forces its log to disk
 * before it answers (appendfsync always) beside one that does each second (everysec, the lab's), and events a second that JetStream keeps
 * when it forces each to disk (sync_interval always) beside its default of every two minutes. No goal: the ratios are for the documents.
 */

import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, waitFor } from "@parallax/testkit";
import { jetStreamPublisher } from "../services/bidding/src/adapters/jetstream-publisher.ts";
import { NatsLink } from "../services/bidding/src/adapters/nats.ts";
import { redisAuctions } from "../services/bidding/src/adapters/redis-auctions.ts";
import { connectRedis } from "../services/bidding/src/adapters/redis-connection.ts";
import { PublishWindow } from "../services/bidding/src/gateway/relay/window.ts";
import { natsServer } from "../test/lib/nats-server.ts";
import { redisServer } from "../test/lib/redis-server.ts";
import { bids } from "./lib/bids.ts";
import { interleave, spread } from "./lib/ratio.ts";

const ROUNDS = 5;
const BIDS = 8000;
const EVENTS = 4000;
/** Bids and events on their way at once: many share a write to the disk, which is what makes `always` bearable at all. */
const AT_ONCE = 256;

async function redisRate(appendfsync: "always" | "everysec") {
  const server = await redisServer(["--appendfsync", appendfsync]);
  const redis = connectRedis({ url: server.url, name: "bench" }, silentLogger());
  await waitFor("Redis", () => redis.status === "ready");
  const auctions = redisAuctions(redis, { mostUnarchived: 10_000_000 });

  /** Accepted bids a second on a new auction. */
  async function rate(): Promise<number> {
    const auctionId = randomUUID();
    const endsAt = Date.now() + 3_600_000;
    await auctions.create({ auctionId, item: "x", startingPrice: 1, minIncrement: 1, endsAt });
    let amount = 0;
    let accepted = 0;
    const bidder = async () => {
      while (amount < BIDS) {
        amount += 1;
        const bid = { auctionId, bidId: randomUUID(), bidderId: "b", amount };
        if ((await auctions.bid(bid, true)).kind === "accepted") accepted += 1;
      }
    };
    const began = performance.now();
    await Promise.all(Array.from({ length: AT_ONCE }, bidder));
    const seconds = (performance.now() - began) / 1000;
    if (accepted !== BIDS) throw new Error(`${accepted} of ${BIDS} bids were accepted`);
    return BIDS / seconds;
  }

  return {
    rate,
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Before 2.10 there is no such setting. */
async function natsVersion(): Promise<string> {
  await using server = await natsServer();
  const [major = 0, minor = 0] = server.version.split(".").map(Number);
  if (major > 2 || minor >= 10) return server.version;
  throw new Error(
    `nats-server ${server.version} has no sync_interval: put 2.10 or later first on PATH, such as by ` +
      "go install github.com/nats-io/nats-server/v2@v2.10.29",
  );
}

async function natsRate(syncInterval: "always" | "2m") {
  const server = await natsServer(["--config", await configuration(syncInterval)]);
  const link = new NatsLink({ url: server.url, name: "bench", logger: silentLogger() });
  await link.ready(AbortSignal.timeout(10_000));
  const publisher = jetStreamPublisher(link, { dedupeSeconds: 120 });
  await publisher.inspect();

  /** Events kept a second. */
  async function rate(): Promise<number> {
    const events = bids(EVENTS, randomUUID());
    const window = new PublishWindow({ publisher, mostInFlight: AT_ONCE, onKept() {} });
    const began = performance.now();
    for (const event of events) {
      if (!window.open) await window.room();
      window.send(event, "0-0");
    }
    const failed = await window.settle();
    const seconds = (performance.now() - began) / 1000;
    if (failed) throw failed.error;
    return EVENTS / seconds;
  }

  return {
    rate,
    async [Symbol.asyncDispose]() {
      await link[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const stores: string[] = [];

/** The lab's own has no word on `sync_interval`, which can be said in a file only. The last file that is named counts. */
async function configuration(syncInterval: string): Promise<string> {
  const store = await mkdtemp(join(tmpdir(), "parallax-bench-nats-"));
  stores.push(store);
  const file = join(store, "nats.conf");
  await writeFile(
    file,
    `jetstream { store_dir: ${JSON.stringify(store)}, sync_interval: ${syncInterval} }\n`,
  );
  return file;
}

async function compare(
  what: string,
  unit: string,
  always: () => Promise<number>,
  later: () => Promise<number>,
) {
  await always();
  await later();
  const { a, b, ratios } = await interleave(ROUNDS, always, later);
  console.log(`${what}, always: ${spread(a, 0)} ${unit}`);
  console.log(`${what}, later:  ${spread(b, 0)} ${unit}`);
  console.log(`${what}, ratio:  ${spread(ratios)}`);
}

{
  await using always = await redisRate("always");
  await using everysec = await redisRate("everysec");
  await compare("Redis appendfsync (later: everysec)", "bids/s", always.rate, everysec.rate);
}
console.log(`\nnats-server ${await natsVersion()}`);
{
  await using always = await natsRate("always");
  await using later = await natsRate("2m");
  await compare("JetStream sync_interval (later: 2m)", "events/s", always.rate, later.rate);
}
console.log(`(${ROUNDS} interleaved pairs, ${AT_ONCE} on their way at once)`);
for (const store of stores) await rm(store, { recursive: true, force: true });
