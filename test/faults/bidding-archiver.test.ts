/** The archiver dies at the worst moments: each accepted bid is archived once, and nothing is left over. */

import { waitFor } from "@parallax/testkit";
import t from "tap";
import { BiddingWitness } from "../lib/faults/bidding/bidding-witness.ts";
import { holdBids, IN_HAND } from "../lib/faults/bidding/hold-bids.ts";
import { WiredBidding } from "../lib/faults/bidding/wired-bidding.ts";
import { metricOf } from "../lib/faults/service-signs.ts";
import { untilRunning } from "../lib/faults/until-running.ts";

const BIDDERS = 16;

t.setTimeout(600_000);

const lab = await WiredBidding.start(t);
const { runtime, wires } = lab;

const duplicates = () => lab.metric("bidding-archiver", "bidding_archived_total", 'result="duplicate"');
const isActive = async (url: string) => (await metricOf(url, "bidding_archiver_active")) === 1;

t.test("killed before the commit: nothing is acknowledged, nothing gone from the outbox", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { held, release } = await holdBids(t, lab, witness);
  t.equal(await witness.archived(), 0);
  await runtime.kill("bidding-archiver", "SIGKILL");
  await release();
  t.ok((await lab.unarchived()) >= IN_HAND, `${held} events waited`);
  const count = await witness.holds(t, "archiver-sigkill-before-commit");
  t.equal(count.archived, IN_HAND);
});

t.test("killed between the commit and the acknowledgement: delivered again, archived once", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { held, release } = await holdBids(t, lab, witness);
  // What it has to say to NATS from now on is lost.
  await wires.archiverNats.silence("upstream");
  await release();
  await waitFor("the commit", async () => (await witness.archived()) === IN_HAND);
  await waitFor("the outbox to be shortened", async () => (await lab.unarchived()) === 0);
  t.equal((await lab.stream()).unsettled, held, "and NATS has no word of it");
  await runtime.kill("bidding-archiver", "SIGKILL");
  await wires.archiverNats.heal();
  const count = await witness.holds(t, "archiver-sigkill-before-acknowledgement");
  t.equal(count.archived, IN_HAND);
  t.ok((await duplicates()) >= IN_HAND, `the next one was delivered them again: ${await duplicates()}`);
});

t.test("killed between the commit and the shortening of the outbox: made good by the next one", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { held, release } = await holdBids(t, lab, witness);
  await wires.archiverRedis.cut();
  await release();
  // It goes on only when the outbox is shortened.
  await waitFor("the commit of the first batch", async () => (await witness.archived()) > 0);
  t.equal(await lab.unarchived(), held, "the outbox is as long as it was");
  t.equal((await lab.stream()).unsettled, held, "and nothing is acknowledged");
  await runtime.kill("bidding-archiver", "SIGKILL");
  await wires.archiverRedis.heal();
  const count = await witness.holds(t, "archiver-sigkill-before-trim");
  t.equal(count.archived, IN_HAND);
  t.ok((await duplicates()) > 0, `the next one was delivered them again: ${await duplicates()}`);
});

t.test("killed in the middle of a commit, again and again under load", async (t) => {
  const witness = await BiddingWitness.begin(t, lab);
  const { bidders } = witness;
  const storm = bidders.storm(BIDDERS);
  for (let kills = 0; kills < 3; kills += 1) {
    const archived = await witness.archived();
    await waitFor("bids to be archived", async () => (await witness.archived()) > archived + 50, 30_000);
    // A batch of the one that was killed may have been committed after its death.
    await untilRunning(runtime);
    await runtime.kill("bidding-archiver", "SIGKILL");
  }
  await storm.stop();
  await witness.holds(t, "archiver-sigkill-under-load");
});

t.test("of two archivers one is active; the other one takes over when it is killed", async (t) => {
  await runtime.stop("bidding-archiver");
  const first = await lab.another(t, "bidding-archiver");
  await waitFor("the first one to be active", () => isActive(first.url));
  const second = await lab.another(t, "bidding-archiver");
  const witness = await BiddingWitness.begin(t, lab);
  const storm = witness.bidders.storm(BIDDERS);
  await waitFor("bids to be archived", async () => (await witness.archived()) > 100, 20_000);
  t.equal(await isActive(second.url), false, "the second one stands by");
  first.signal("SIGKILL");
  await waitFor("the other one to be active", () => isActive(second.url), 10_000);
  const archived = await witness.archived();
  await waitFor("the archive to go on", async () => (await witness.archived()) > archived + 100, 30_000);
  await storm.stop();
  await witness.holds(t, "two-archivers");
  second.signal("SIGTERM");
  t.equal((await second.ended).code, 0);
  await runtime.start("bidding-archiver");
});
