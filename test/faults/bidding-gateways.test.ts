/** Gateways are killed and frozen under bids: what is bid again at another one has one effect, and the outbox is relayed on. */

import { waitFor } from "@parallax/testkit";
import t from "tap";
import { answersKey } from "../../services/bidding/src/adapters/keys.ts";
import { BiddingWitness } from "../lib/faults/bidding/bidding-witness.ts";
import { WiredBidding } from "../lib/faults/bidding/wired-bidding.ts";
import { metricOf } from "../lib/faults/service-signs.ts";
import type { Reply } from "../lib/resp.ts";

const BIDDERS = 16;
/** Of the relay; another one leads after it at the latest, and asks each second. */
const LEASE_MS = 3000;

t.setTimeout(600_000);

const lab = await WiredBidding.start(t);
const { runtime, wires } = lab;

const leads = async (url: string) => (await metricOf(url, "bidding_relay_leader")) === 1;

t.test("the relay's leader is killed: the other gateway relays on within the lease", async (t) => {
  await runtime.stop("bidding-gateway-1");
  const first = await lab.another(t, "bidding-gateway-1");
  await waitFor("the first one to lead", () => leads(first.url), 20_000);
  const second = await lab.another(t, "bidding-gateway-1");
  const witness = await BiddingWitness.begin(t, lab, { gateways: [first.url, second.url] });
  const storm = witness.bidders.storm(BIDDERS);
  await waitFor("bids to be archived", async () => (await witness.archived()) > 100, 20_000);
  t.equal(await leads(second.url), false, "one leads");
  first.signal("SIGKILL");
  const killed = performance.now();
  await waitFor("the other one to lead", () => leads(second.url), 3 * LEASE_MS);
  t.comment(`it led ${((performance.now() - killed) / 1000).toFixed(1)} s after the kill`);
  witness.bidders.bidAt(second.url);
  const archived = await witness.archived();
  await waitFor("the archive to go on", async () => (await witness.archived()) > archived + 100, 30_000);
  await storm.stop();
  await runtime.start("bidding-gateway-1");
  await witness.holds(t, "leader-sigkill");
});

t.test(
  "the relay's leader is frozen until another one leads, and goes on then: both do no harm",
  async (t) => {
    await waitFor("the lab's own to lead", () => leads(lab.gatewayUrl), 20_000);
    const second = await lab.another(t, "bidding-gateway-1");
    const witness = await BiddingWitness.begin(t, lab, { gateways: [second.url] });
    const storm = witness.bidders.storm(BIDDERS);
    await waitFor("bids to be archived", async () => (await witness.archived()) > 100, 20_000);
    await runtime.kill("bidding-gateway-1", "SIGSTOP");
    t.teardown(() => runtime.kill("bidding-gateway-1", "SIGCONT"));
    await waitFor("the other one to lead", () => leads(second.url), 3 * LEASE_MS);
    await runtime.kill("bidding-gateway-1", "SIGCONT");
    witness.bidders.bidAt(second.url, lab.gatewayUrl);
    const archived = await witness.archived();
    await waitFor("the archive to go on", async () => (await witness.archived()) > archived + 100, 30_000);
    await storm.stop();
    await witness.holds(t, "leader-frozen");
  },
);

t.test(
  "killed before it can answer: each bid is sent again at the other gateway, and has one effect",
  async (t) => {
    const second = await lab.another(t, "bidding-gateway-1");
    const witness = await BiddingWitness.begin(t, lab, { gateways: [lab.gatewayUrl, second.url] });
    const { bidders, auctionId } = witness;
    await wires.gatewayRedis.silence("downstream");
    const bids = Array.from({ length: 20 }, (_, bidder) => bidders.aBid(`bidder-${bidder}`));
    const replies = Promise.all(bids.map((bid) => bidders.attempt(bid)));
    // One round trip at a time: those that come later wait for it in the gateway.
    const decided = async () => new Map(pairs(await lab.redis("HGETALL", answersKey(auctionId))));
    await waitFor("some to be decided", async () => (await decided()).size > 0);
    await runtime.kill("bidding-gateway-1", "SIGKILL");
    const before = await decided();
    await wires.gatewayRedis.heal();
    // Those that the gateway gave up before it was killed got a 503, which tells nothing of the bid either.
    t.ok(
      (await replies).every(({ status }) => status === 0 || status === 503),
      "no bidder was told what became of his bid",
    );
    const again = await Promise.all(bids.map((bid) => bidders.insist(bid, 1)));
    t.ok(
      again.every(({ attempts }) => attempts === 1),
      "the other one knows at once",
    );
    const after = await decided();
    t.equal(after.size, bids.length);
    for (const [bid, answer] of before) t.equal(after.get(bid), answer, "what was decided stays so");
    await bidders.bidInTurn(5, 1);
    const count = await witness.holds(t, "gateway-sigkill-before-answer");
    t.equal(count.bids, bids.length + 5);
  },
);

t.test("the same bid at both gateways at once has one effect, and both give the same answer", async (t) => {
  const second = await lab.another(t, "bidding-gateway-1");
  const witness = await BiddingWitness.begin(t, lab, { gateways: [lab.gatewayUrl, second.url] });
  const { bidders } = witness;
  for (let round = 0; round < 20; round += 1) {
    const bids = Array.from({ length: 10 }, (_, bidder) => bidders.aBid(`bidder-${bidder}`));
    await Promise.all(bids.flatMap((bid) => [0, 1, 0, 1].map((gateway) => bidders.insist(bid, gateway))));
  }
  const count = await witness.holds(t, "same-bid-at-both-gateways");
  t.equal(count.bids, 200);
});

t.test("killed again and again under load, with bidders who go to the other gateway", async (t) => {
  const second = await lab.another(t, "bidding-gateway-1");
  const witness = await BiddingWitness.begin(t, lab, { gateways: [lab.gatewayUrl, second.url] });
  const { bidders } = witness;
  const storm = bidders.storm(BIDDERS);
  for (let kills = 0; kills < 3; kills += 1) {
    await waitFor("it to answer", lab.gatewayReady, 20_000);
    const accepted = bidders.accepted;
    await waitFor("bids to be accepted", () => bidders.accepted > accepted + 200, 20_000);
    await runtime.kill("bidding-gateway-1", "SIGKILL");
  }
  await storm.stop();
  const count = await witness.holds(t, "gateway-sigkill-under-load");
  t.ok(count.unanswered > 0, "bidders noticed it");
});

/** A hash, as Redis tells it. */
function pairs(flat: Reply): [string, string][] {
  const texts = flat as string[];
  return texts.flatMap((name, at) => (at % 2 === 0 ? [[name, texts[at + 1] ?? ""] as [string, string]] : []));
}
