/**
 * Accepted bids on their way into the archive, on containers of Redis, NATS and Postgres as the lab runs them: the contracts, and
 * that the archive holds exactly what was accepted whatever becomes of any of the three, or of the archiver.
 */

import { migrate, openPool } from "@parallax/postgres";
import { silentLogger, waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { BIDDING_SCHEMA, biddingMigrations } from "../../services/bidding/src/adapters/bidding-migrations.ts";
import { jetStreamPublisher } from "../../services/bidding/src/adapters/jetstream-publisher.ts";
import { jetStreamSource } from "../../services/bidding/src/adapters/jetstream-source.ts";
import { outboxKey } from "../../services/bidding/src/adapters/keys.ts";
import { NatsLink } from "../../services/bidding/src/adapters/nats.ts";
import { postgresArchiveStore } from "../../services/bidding/src/adapters/postgres-archive-store.ts";
import { connectRedis } from "../../services/bidding/src/adapters/redis-connection.ts";
import {
  redisArchivedOutbox,
  redisLease,
  redisOutbox,
} from "../../services/bidding/src/adapters/redis-outbox.ts";
import { fieldsOf } from "../../services/bidding/src/domain/outbox.ts";
import { archiveStoreContract } from "../../services/bidding/test/contract/archive-store-contract.ts";
import { eventStreamContract } from "../../services/bidding/test/contract/event-stream-contract.ts";
import { keptInPostgres } from "../../services/bidding/test/contract/kept-in-postgres.ts";
import { outboxContract } from "../../services/bidding/test/contract/outbox-contract.ts";
import { biddingEvents, type Urls } from "../lib/bidding-events.ts";
import { ContainerSuite } from "../lib/containers.ts";
import { labDefinition, postgresPassword } from "../lib/lab-definitions.ts";

const suite = await ContainerSuite.open(t);
const run = async (name: string) => await suite.run(name, await labDefinition(name));
const [redis, nats, postgres] = await Promise.all([run("redis"), run("nats"), run("postgres")]);
const urls: Urls = {
  redis: `redis://127.0.0.1:${redis.port(6379)}`,
  nats: `nats://127.0.0.1:${nats.port(4222)}`,
  postgres: `postgres://postgres:${postgresPassword}@127.0.0.1:${postgres.port(5432)}/parallax`,
};

const command = (await labDefinition("nats")).command ?? [];
const store = command[command.indexOf("--store_dir") + 1];

/** NATS comes back with nothing, as on a machine of its own that was replaced. */
async function loseDisk() {
  const { exitCode, output } = await nats.exec(["rm", "-r", `${store}/jetstream`]);
  if (exitCode !== 0) throw new Error(`NATS did not lose its disk: ${output}`);
  await nats.kill();
  await nats.start();
}

t.test("the contracts", async (t) => {
  const pool = openPool({ url: urls.postgres, poolSize: 4, applicationName: "test" }, silentLogger());
  t.teardown(() => pool.end());
  await migrate(pool, BIDDING_SCHEMA, biddingMigrations);
  await t.test("the archive", async (t) =>
    archiveStoreContract(t, postgresArchiveStore(pool), keptInPostgres(pool)),
  );

  const connect = async (name: string) => {
    const connection = connectRedis({ url: urls.redis, name, autoPipelining: false }, silentLogger());
    t.teardown(() => connection.disconnect());
    await waitFor("Redis", () => connection.status === "ready");
    return connection;
  };
  const [reader, control] = [await connect("reader"), await connect("control")];
  await t.test("the outbox", async (t) =>
    outboxContract(t, {
      outbox: redisOutbox(reader, control),
      archived: redisArchivedOutbox(control),
      lease: redisLease(control),
      append: async (event) =>
        String(await control.xadd(outboxKey, "*", ...Object.entries(fieldsOf(event)).flat())),
    }),
  );

  const link = new NatsLink({ url: urls.nats, name: "test", logger: silentLogger() });
  t.teardown(() => link[Symbol.asyncDispose]());
  await link.ready(AbortSignal.timeout(10_000));
  const publisher = jetStreamPublisher(link, { dedupeSeconds: 120 });
  await publisher.inspect();
  await t.test("the stream", async (t) =>
    eventStreamContract(t, {
      publisher,
      source: jetStreamSource(link, { dedupeSeconds: 120, patienceMs: 3000 }),
      loseDisk,
      goAway: async () => {
        await nats.kill();
        await waitFor("the connection to be lost", () => !link.connected);
      },
      comeBack: () => nats.start(),
    }),
  );
});

type Events = Awaited<ReturnType<typeof biddingEvents>>;
type Accepted = Awaited<ReturnType<Awaited<ReturnType<Events["auction"]>>["bid"]>>;

/** The archive has these and no others, and nothing waits for it any more. */
async function same(t: Test, { kept, unarchived, publisher }: Events, id: string, accepted: Accepted) {
  await waitFor("all to be archived", async () => (await unarchived()) === 0, 60_000);
  await waitFor("all to be acknowledged", async () => (await publisher.inspect()).waiting === 0, 60_000);
  const { bids, conflicts } = await kept(id);
  t.same(
    bids.map(({ seq, bid_id, bidder_id, amount }) => ({ seq, bid_id, bidder_id, amount })),
    accepted
      .map(({ seq, bidId, bidderId, amount }) => ({ seq, bid_id: bidId, bidder_id: bidderId, amount }))
      .toSorted((a, b) => a.seq - b.seq),
  );
  t.same(conflicts, []);
  t.comment(`${accepted.length} bids accepted, ${bids.length} archived`);
}

t.test("NATS comes back without its disk in the middle of bids", async (t) => {
  const events = await biddingEvents(t, urls);
  events.relay();
  await events.archiver();
  const { auctionId, bid } = await events.auction();
  const accepted = await bid(500);
  await waitFor("some to be archived", async () => (await events.kept(auctionId)).bids.length > 0, 30_000);
  const losing = loseDisk();
  for (let round = 0; round < 20; round += 1) accepted.push(...(await bid(100)));
  await losing;
  accepted.push(...(await bid(100)));
  await same(t, events, auctionId, accepted);
});

t.test("NATS loses its disk with all that was published and nothing of it archived", async (t) => {
  const events = await biddingEvents(t, urls);
  events.relay();
  const { auctionId, bid } = await events.auction();
  const accepted = await bid(2000);
  await waitFor(
    "all to be published",
    async () => (await events.publisher.inspect()).waiting === 2001,
    30_000,
  );
  await loseDisk();
  await events.archiver();
  await same(t, events, auctionId, accepted);
});

t.test("Postgres freezes in the middle of bids, and goes on", async (t) => {
  const events = await biddingEvents(t, urls);
  events.relay();
  const archiver = await events.archiver();
  const { auctionId, bid } = await events.auction();
  const accepted = await bid(200);
  await waitFor("some to be archived", async () => (await events.kept(auctionId)).bids.length > 0, 30_000);
  await postgres.freeze();
  t.teardown(() => postgres.thaw().catch(() => {}));
  accepted.push(...(await bid(5000)));
  await waitFor(
    "the archiver to notice",
    async () => (await archiver.metric("bidding_archive_failures_total")) > 0,
    30_000,
  );
  t.ok((await events.unarchived()) >= 5000, "what Postgres does not have is kept");
  t.ok((await archiver.metric("bidding_archiver_held")) <= 3000, "no more is held than ever");
  await postgres.thaw();
  await same(t, events, auctionId, accepted);
});

t.test("Postgres is killed in the middle of bids, and started again", async (t) => {
  const events = await biddingEvents(t, urls);
  events.relay();
  const archiver = await events.archiver();
  const { auctionId, bid } = await events.auction();
  const accepted = await bid(200);
  await waitFor("some to be archived", async () => (await events.kept(auctionId)).bids.length > 0, 30_000);
  const bidding = (async () => {
    for (let round = 0; round < 20; round += 1) accepted.push(...(await bid(100)));
  })();
  await postgres.kill();
  await bidding;
  await waitFor(
    "its turn to be lost",
    async () => (await archiver.metric("bidding_archiver_active")) === 0,
    30_000,
  );
  await postgres.start();
  await same(t, events, auctionId, accepted);
});

t.test("all of it is published again beyond the dedupe window", async (t) => {
  const events = await biddingEvents(t, urls);
  const { auctionId, bid } = await events.auction();
  const accepted = await bid(1000);
  const first = events.relay();
  await waitFor(
    "all to be published",
    async () => (await events.publisher.inspect()).waiting === 1001,
    30_000,
  );
  await first.stop();
  const until = performance.now() + 2500;
  await waitFor("the window to pass", () => performance.now() > until);
  // A relay that begins to lead begins at the oldest entry.
  events.relay();
  await waitFor(
    "all of it to be there twice",
    async () => (await events.publisher.inspect()).waiting === 2002,
    30_000,
  );
  const archiver = await events.archiver();
  await same(t, events, auctionId, accepted);
  t.equal(await archiver.metric("bidding_archived_total", 'result="duplicate"'), 1001);
});

t.test("the archiver is killed between the commit and the acknowledgement", async (t) => {
  const events = await biddingEvents(t, urls);
  const { auctionId, bid } = await events.auction();
  const accepted = await bid(300);
  const relay = events.relay();
  await waitFor(
    "all to be published",
    async () => (await events.publisher.inspect()).waiting === 301,
    30_000,
  );
  await relay.stop();
  // It commits, and cannot go on: the entries' removal from the outbox comes before the acknowledgement.
  await redis.freeze();
  t.teardown(() => redis.thaw().catch(() => {}));
  const first = await events.archiver();
  await waitFor("the commit", async () => (await events.kept(auctionId)).bids.length > 0, 30_000);
  await first.kill();
  const committed = (await events.kept(auctionId)).bids.length;
  await redis.thaw();
  t.equal((await events.publisher.inspect()).waiting, 301, "nothing was acknowledged");
  await waitFor("Redis", async () => (await events.unarchived()) === 301, 30_000);
  const second = await events.archiver();
  await same(t, events, auctionId, accepted);
  const duplicates = await second.metric("bidding_archived_total", 'result="duplicate"');
  t.ok(duplicates >= committed, `${duplicates} of which ${committed} bids had been committed`);
});

t.test(
  "stopped in the middle of its work, what it has committed is acknowledged, and nothing else",
  async (t) => {
    const events = await biddingEvents(t, urls);
    const { auctionId, bid } = await events.auction();
    const accepted = await bid(20_000);
    const relay = events.relay();
    await waitFor(
      "all to be published",
      async () => (await events.publisher.inspect()).waiting === 20_001,
      60_000,
    );
    await relay.stop();
    const first = await events.archiver();
    await waitFor("some to be archived", async () => (await events.unarchived()) < 20_001, 30_000);
    t.equal(await first.stop(), 0);
    const { bids } = await events.kept(auctionId);
    t.ok(bids.length < 20_000, "it was in the middle of its work");
    const left = 20_000 - bids.length;
    t.equal(await events.unarchived(), left);
    t.equal((await events.publisher.inspect()).waiting, left);
    await events.archiver();
    await same(t, events, auctionId, accepted);
  },
);
