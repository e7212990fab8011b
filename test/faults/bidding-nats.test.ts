/** NATS is away, comes back without its disk, and is told everything again long after: the archive is whole, each bid once. */

import { waitFor } from "@parallax/testkit";
import t from "tap";
import { STREAM } from "../../services/bidding/src/adapters/event-stream.ts";
import { BiddingWitness } from "../lib/faults/bidding/bidding-witness.ts";
import { unnoticed } from "../lib/faults/bidding/unnoticed.ts";
import { WiredBidding } from "../lib/faults/bidding/wired-bidding.ts";
import { elapsed } from "../lib/faults/elapsed.ts";

const BIDDERS = 16;
const DEDUPE_SECONDS = 1;

t.setTimeout(600_000);

const short = { DEDUPE_WINDOW_SECONDS: String(DEDUPE_SECONDS) };
const lab = await WiredBidding.start(t, { "bidding-gateway-1": short, "bidding-archiver": short });
const { runtime, wires } = lab;

const messages = () => lab.jetStream(async (manager) => (await manager.streams.info(STREAM)).state.messages);

/**
 * @returns messages that are in the stream already: second copies of an earlier story, and what a NATS that was killed has forgotten to
 * remove, which nobody is given any more
 */
async function stopArchiver(): Promise<number> {
  await runtime.stop("bidding-archiver");
  return await messages();
}

t.test(
  "NATS is killed under load and comes back: bids go on, prices too, the archive catches up",
  async (t) => {
    const witness = await BiddingWitness.begin(t, lab, { watchers: 3 });
    const { bidders } = witness;
    const storm = bidders.storm(BIDDERS);
    await waitFor("bids to be archived", async () => (await witness.archived()) > 100, 20_000);
    await runtime.kill("nats", "SIGKILL");
    const [accepted, archived] = [bidders.accepted, await witness.archived()];
    await waitFor("bids to be accepted meanwhile", () => bidders.accepted > accepted + 500, 30_000);
    const meanwhile = witness.seqOfWatchers();
    await waitFor("prices to go on meanwhile", () => witness.seqOfWatchers() > meanwhile + 100, 20_000);
    unnoticed(t, bidders, BIDDERS);
    t.ok((await lab.unarchived()) >= 500 - BIDDERS, "what is accepted waits");
    t.ok((await witness.archived()) < accepted + 500, `and was not archived: ${archived}`);
    await runtime.start("nats");
    await waitFor("the archive to go on", async () => (await witness.archived()) > accepted + 500, 30_000);
    await storm.stop();
    const count = await witness.holds(t, "nats-sigkill");
    unnoticed(t, count, BIDDERS);
  },
);

t.test("NATS is silent on the wire of relay, archiver and live prices, under load", async (t) => {
  const witness = await BiddingWitness.begin(t, lab, { watchers: 3 });
  const { bidders } = witness;
  const storm = bidders.storm(BIDDERS);
  await waitFor("bids to be archived", async () => (await witness.archived()) > 50, 20_000);
  const all = [wires.relay, wires.archiverNats, wires.broadcasterNats];
  await Promise.all(all.map((wire) => wire.silence()));
  const accepted = bidders.accepted;
  await waitFor("bids to be accepted meanwhile", () => bidders.accepted > accepted + 300, 30_000);
  await Promise.all(all.map((wire) => wire.heal()));
  await storm.stop();
  const count = await witness.holds(t, "nats-silent");
  unnoticed(t, count, BIDDERS);
});

t.test("NATS comes back without its disk: all that was not archived is published again", async (t) => {
  const before = await stopArchiver();
  const witness = await BiddingWitness.begin(t, lab);
  const { bidders } = witness;
  const storm = bidders.storm(BIDDERS);
  await waitFor("bids to be accepted", () => bidders.accepted > 300, 20_000);
  await storm.stop();
  const waiting = await lab.unarchived();
  // More, where an acknowledgement came after the relay had lost patience.
  await waitFor("all of them to be published", async () => (await messages()) >= before + waiting, 20_000);
  await runtime.kill("nats", "SIGKILL");
  await lab.loseNatsDisk();
  await runtime.start("nats");
  await runtime.start("bidding-archiver");
  const count = await witness.holds(t, "nats-without-its-disk");
  t.ok(count.archived >= 300);
});

t.test("NATS loses its disk under load, with an archiver that has deliveries in hand", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { bidders } = witness;
  const storm = bidders.storm(BIDDERS);
  await waitFor("bids to be archived", async () => (await witness.archived()) > 100, 20_000);
  await runtime.kill("nats", "SIGKILL");
  await lab.loseNatsDisk();
  await runtime.start("nats");
  const accepted = bidders.accepted;
  await waitFor("the archive to go on", async () => (await witness.archived()) > accepted + 100, 30_000);
  await storm.stop();
  await witness.holds(t, "nats-without-its-disk-under-load");
});

t.test("everything is published again beyond the dedupe window: the archive stays as it is", async (t) => {
  const before = await stopArchiver();
  const witness = await BiddingWitness.begin(t, lab);
  const { bidders } = witness;
  await bidders.bidInTurn(50);
  const waiting = await lab.unarchived();
  await waitFor("all of them to be published", async () => (await messages()) >= before + waiting, 20_000);
  // Who takes over begins with the oldest event; by then NATS has forgotten that it knows it.
  await elapsed(DEDUPE_SECONDS * 2000);
  const once = await messages();
  await runtime.stop("bidding-gateway-1");
  await runtime.start("bidding-gateway-1");
  await waitFor("all to be published twice", async () => (await messages()) >= once + waiting, 30_000);
  await runtime.start("bidding-archiver");
  const count = await witness.holds(t, "republished-beyond-the-dedupe-window");
  t.equal(count.archived, 50);
  await waitFor("the second copies to be settled, too", async () => (await messages()) === 0, 20_000);
  t.equal(await witness.archived(), 50);
  const twice = await lab.metric("bidding-archiver", "bidding_archived_total", 'result="duplicate"');
  t.ok(twice >= waiting, `the archiver met ${twice} that it had`);
});
