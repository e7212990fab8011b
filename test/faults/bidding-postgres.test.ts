/** The archive's Postgres is away for long: bids go on for as long as the outbox may grow, and all of them are archived in the end. */

import { waitFor } from "@parallax/testkit";
import t from "tap";
import { BiddingWitness } from "../lib/faults/bidding/bidding-witness.ts";
import { unnoticed } from "../lib/faults/bidding/unnoticed.ts";
import { WiredBidding } from "../lib/faults/bidding/wired-bidding.ts";
import { elapsed } from "../lib/faults/elapsed.ts";

const BIDDERS = 16;
const MOST_UNARCHIVED = 1000;
/** Deliveries that are not acknowledged come again after 10 s. */
const LONG_OUTAGE_MS = 12_000;

t.setTimeout(600_000);

const lab = await WiredBidding.start(t, {
  "bidding-gateway-1": { MOST_UNARCHIVED: String(MOST_UNARCHIVED) },
});
const { runtime, wires } = lab;

t.test("Postgres is silent for the archiver alone, in the middle of its work", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const storm = witness.bidders.storm(2);
  await waitFor("bids to be archived", async () => (await witness.archived()) > 50, 20_000);
  await wires.archiverPostgres.silence();
  await elapsed(LONG_OUTAGE_MS);
  await wires.archiverPostgres.heal();
  await storm.stop();
  await witness.holds(t, "postgres-silent");
});

t.test(
  "Postgres is down for long: bids go on until too many wait, then 503, and go on by themselves",
  async (t) => {
    const witness = await BiddingWitness.begin(t, lab);
    const { bidders, auctionId } = witness;
    const storm = bidders.storm(BIDDERS);
    await waitFor("bids to be archived", async () => (await witness.archived()) > 50, 20_000);
    const accepted = bidders.accepted;
    await runtime.kill("postgres", "SIGKILL");
    const began = performance.now();
    await waitFor("bids to go on", () => bidders.accepted > accepted + 100, 20_000);
    const page = await fetch(`${lab.gatewayUrl}/auctions/${auctionId}/bids`);
    t.equal(page.status, 503, "the archive cannot be read");
    t.match(page.headers.get("retry-after"), /^\d+$/);
    t.match(await page.json(), { code: "DEPENDENCY_UNAVAILABLE", retryable: true });
    unnoticed(t, bidders, BIDDERS);
    t.equal(await lab.gatewayReady(), true, "a gateway without an archive goes on taking bids");
    await waitFor("too many to wait", async () => (await lab.unarchived()) >= MOST_UNARCHIVED, 30_000);
    const told = bidders.unanswered;
    await waitFor("bidders to be told", () => bidders.unanswered > told + BIDDERS, 20_000);
    t.equal(await lab.unarchived(), MOST_UNARCHIVED, "not one more than may");
    const refused = bidders.aBid();
    const reply = await bidders.attempt(refused);
    t.equal(reply.status, 503);
    t.match(reply.retryAfter, /^\d+$/);
    t.match(reply.body, { code: "OVERLOADED", retryable: true });
    await waitFor("the outage to be long", () => performance.now() - began > LONG_OUTAGE_MS, LONG_OUTAGE_MS);
    await runtime.start("postgres");
    const before = bidders.accepted;
    await waitFor("bids to be accepted again", () => bidders.accepted > before + 100, 30_000);
    await storm.stop();
    await bidders.insist(refused);
    const count = await witness.holds(t, "postgres-sigkill");
    t.ok(count.archived > MOST_UNARCHIVED);
  },
);

t.test("Redis, NATS and Postgres are killed at once, with all services, and started again", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { bidders } = witness;
  const storm = bidders.storm(BIDDERS);
  await waitFor("bids to be archived", async () => (await witness.archived()) > 50, 20_000);
  const engines = ["redis", "nats", "postgres"];
  const services = ["bidding-archiver", "bidding-gateway-1", "bidding-broadcaster"];
  // The runtime does one after the other, and starts a service again once it comes to it.
  await Promise.all([
    ...[...engines, ...services].map((part) => runtime.kill(part, "SIGKILL")),
    ...engines.map((part) => runtime.start(part)),
  ]);
  const accepted = bidders.accepted;
  await waitFor("bids to be accepted again", () => bidders.accepted > accepted + 100, 30_000);
  await storm.stop();
  const count = await witness.holds(t, "all-sigkill");
  t.ok(count.unanswered > 0, "bidders noticed it");
});
