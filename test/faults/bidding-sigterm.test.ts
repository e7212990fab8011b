/** Parts are asked to end by SIGTERM, under load and while what they need is silent: exit code 0 in the grace, nothing half done. */

import { once } from "node:events";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { WebSocket } from "ws";
import { answersKey } from "../../services/bidding/src/adapters/keys.ts";
import { BiddingWitness } from "../lib/faults/bidding/bidding-witness.ts";
import { holdBids, IN_HAND } from "../lib/faults/bidding/hold-bids.ts";
import { WiredBidding } from "../lib/faults/bidding/wired-bidding.ts";
import { metricOf } from "../lib/faults/service-signs.ts";

const BIDDERS = 16;
const GRACE_SECONDS = 15;

t.setTimeout(600_000);

const lab = await WiredBidding.start(t);
const { runtime } = lab;

const leads = async (url: string) => (await metricOf(url, "bidding_relay_leader")) === 1;

t.test(
  "SIGTERM of a gateway under load: exit code 0 in the grace, and what was in hand is answered",
  async (t) => {
    const gateway = await lab.another(t, "bidding-gateway-1", {
      SHUTDOWN_GRACE_SECONDS: String(GRACE_SECONDS),
    });
    const witness = await BiddingWitness.begin(t, lab, { gateways: [gateway.url, lab.gatewayUrl] });
    const { bidders, auctionId } = witness;
    const unanswered: ReturnType<typeof bidders.aBid>[] = [];
    const bidder = async (_: unknown, number: number) => {
      for (;;) {
        const bid = bidders.aBid(`bidder-${number}`);
        if ((await bidders.attempt(bid)).status !== 0) continue;
        unanswered.push(bid);
        return;
      }
    };
    const bidding = Promise.all(Array.from({ length: BIDDERS }, bidder));
    await waitFor("bids to be accepted", () => bidders.accepted > 200, 20_000);
    gateway.signal("SIGTERM");
    const { code, seconds } = await gateway.ended;
    t.equal(code, 0);
    t.ok(seconds < GRACE_SECONDS, `it took ${seconds.toFixed(1)} s of its ${GRACE_SECONDS} s`);
    await bidding;
    t.equal(unanswered.length, BIDDERS, "each was turned away in the end");
    const effects = await Promise.all(
      unanswered.map(({ bid_id }) => lab.redis("HEXISTS", answersKey(auctionId), bid_id)),
    );
    t.same(new Set(effects), new Set([0]), "no bid was decided whose bidder was not told");
    await Promise.all(unanswered.map((bid) => bidders.insist(bid, 1)));
    await witness.holds(t, "gateway-sigterm");
  },
);

for (const engine of ["redis", "nats", "postgres"] as const) {
  t.test(
    `SIGTERM of a gateway while ${engine} does not answer: it ends in the grace all the same`,
    async (t) => {
      await runtime.stop("bidding-gateway-1");
      t.teardown(() => runtime.start("bidding-gateway-1"));
      const gateway = await lab.another(t, "bidding-gateway-1", {
        SHUTDOWN_GRACE_SECONDS: String(GRACE_SECONDS),
      });
      const witness = await BiddingWitness.begin(t, lab, { gateways: [gateway.url] });
      const { bidders } = witness;
      await waitFor("it to relay", () => leads(gateway.url), 20_000);
      await runtime.kill(engine, "SIGSTOP");
      t.teardown(() => runtime.kill(engine, "SIGCONT"));
      const bids = Array.from({ length: 10 }, () => bidders.aBid());
      const replies = Promise.all(bids.map((bid) => bidders.attempt(bid)));
      const inHand = () => metricOf(gateway.url, "http_requests_in_flight");
      // They are for a second and a half, which a machine that stands still may miss: they are answered then.
      const all = () =>
        waitFor("all to be in hand", async () => (await inHand()) >= bids.length).catch(() => {});
      await (engine === "redis" ? Promise.race([replies, all()]) : replies);
      gateway.signal("SIGTERM");
      const { code, seconds } = await gateway.ended;
      t.equal(code, 0);
      t.ok(seconds < GRACE_SECONDS, `it took ${seconds.toFixed(1)} s of its ${GRACE_SECONDS} s`);
      const statuses = new Set((await replies).map(({ status }) => status));
      t.notOk(statuses.has(0), `each bidder was answered: ${[...statuses]}`);
      await runtime.kill(engine, "SIGCONT");
      await runtime.start("bidding-gateway-1");
      bidders.bidAt(lab.gatewayUrl);
      await Promise.all(bids.map((bid) => bidders.insist(bid)));
      await witness.holds(t, `gateway-sigterm-${engine}-frozen`);
    },
  );
}

t.test(
  "SIGTERM of the broadcaster under load: exit code 0 in the grace, watchers are told to go",
  async (t) => {
    const broadcaster = await lab.another(t, "bidding-broadcaster", {
      SHUTDOWN_GRACE_SECONDS: String(GRACE_SECONDS),
    });
    const witness = await BiddingWitness.begin(t, lab);
    const storm = witness.bidders.storm(BIDDERS);
    const url = `${broadcaster.url.replace("http", "ws")}/auctions/${witness.auctionId}/live`;
    const watchers = Array.from({ length: 20 }, () => {
      const socket = new WebSocket(url);
      let messages = 0;
      socket.on("message", () => {
        messages += 1;
      });
      return { messages: () => messages, closed: once(socket, "close") };
    });
    await waitFor("all to watch", () => watchers.every(({ messages }) => messages() > 5), 20_000);
    broadcaster.signal("SIGTERM");
    const { code, seconds } = await broadcaster.ended;
    t.equal(code, 0);
    t.ok(seconds < GRACE_SECONDS, `it took ${seconds.toFixed(1)} s of its ${GRACE_SECONDS} s`);
    const codes = await Promise.all(watchers.map(async ({ closed }) => (await closed)[0] as number));
    t.same(new Set(codes), new Set([1001]), "going away");
    await storm.stop();
    await witness.holds(t, "broadcaster-sigterm");
  },
);

t.test(
  "SIGTERM of the archiver under load: exit code 0 in the grace, and nothing that it had in hand is missing",
  async (t) => {
    await runtime.stop("bidding-archiver");
    const grace = 8;
    const archiver = await lab.another(t, "bidding-archiver", { SHUTDOWN_GRACE_SECONDS: String(grace) });
    const witness = await BiddingWitness.begin(t, lab);
    const storm = witness.bidders.storm(BIDDERS);
    await waitFor("bids to be archived", async () => (await witness.archived()) > 100, 20_000);
    archiver.signal("SIGTERM");
    const { code, seconds } = await archiver.ended;
    t.equal(code, 0);
    t.ok(seconds < grace, `it took ${seconds.toFixed(1)} s of its ${grace} s`);
    await storm.stop();
    await runtime.start("bidding-archiver");
    await witness.holds(t, "archiver-sigterm");
  },
);

t.test(
  "SIGTERM of the archiver while Postgres holds its commit up: exit code 0 in the grace, nothing is lost",
  async (t) => {
    await runtime.stop("bidding-archiver");
    const archiver = await lab.another(t, "bidding-archiver", { SHUTDOWN_GRACE_SECONDS: "15" });
    const witness = await BiddingWitness.begin(t, lab);
    const { release } = await holdBids(t, lab, witness);
    archiver.signal("SIGTERM");
    const { code, seconds } = await archiver.ended;
    t.equal(code, 0);
    // Postgres gives a statement up after 10 s.
    t.ok(seconds < 14, `it took ${seconds.toFixed(1)} s of its 15 s`);
    await release();
    await runtime.start("bidding-archiver");
    const count = await witness.holds(t, "archiver-sigterm-held-up");
    t.equal(count.archived, IN_HAND);
  },
);
