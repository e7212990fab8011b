/** Bidding in containers: bids through the load balancer, one of its gateways killed under them, and without a load balancer. */
import { randomUUID } from "node:crypto";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { requireEngine } from "../../../lab/src/docker/engine.ts";
import { ArchiveWalk } from "../../../lab/src/experiments/bidding/archive-walk.ts";
import { BiddingApi } from "../../../lab/src/experiments/bidding/bidding-api.ts";
import { ComposeRuntime } from "../../../lab/src/runtimes/compose/compose-runtime.ts";
import { environmentOf, listContainers } from "../../../lab/src/runtimes/compose/containers.ts";
import { ownComposeLab } from "../../lib/own-compose-lab.ts";

t.setTimeout(300_000);

const { client } = await requireEngine();
const lab = await ownComposeLab(t, { PROFILE: "bidding" });
const { runtime, settings } = lab;
const engines = ["bidding-balancer", "nats", "postgres", "redis"];
const services = ["bidding-archiver", "bidding-broadcaster", "bidding-gateway-1", "bidding-gateway-2"];
const CLIENTS = 16;

function auction(item: string) {
  const ends_at = new Date(Date.now() + 3_600_000).toISOString();
  return { item, starting_price: 100, min_increment: 1, ends_at };
}

async function listed() {
  return await listContainers(client, settings.composeProject);
}

interface Accepted {
  readonly bid_id: string;
  readonly seq: number;
  readonly amount: number;
}

/** Clients that bid more and more until they are stopped, and repeat what they do not know the outcome of. */
class Crowd {
  readonly accepted: Accepted[] = [];
  answers = 0;
  /** Bids that were sent more than once. */
  repeated = 0;
  readonly #stop = new AbortController();
  readonly #work: Promise<unknown>;
  #amount = 100;

  constructor(api: BiddingApi, auctionId: string) {
    this.#work = Promise.all(Array.from({ length: CLIENTS }, (_, each) => this.#bid(api, auctionId, each)));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #bid(api: BiddingApi, auctionId: string, client: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#amount += 1;
      const bid = { bid_id: randomUUID(), bidder_id: `client-${client}`, amount: this.#amount };
      const until = performance.now() + 60_000;
      for (let attempt = 1; ; attempt += 1) {
        // What it means that none came, or another one, is not known: the same bid again finds out.
        const answer = await api.bid(auctionId, bid).catch(() => ({ status: 0 }));
        if (answer.status === 201 && "seq" in answer) {
          this.accepted.push({ bid_id: bid.bid_id, seq: Number(answer.seq), amount: bid.amount });
        }
        if (answer.status === 201 || answer.status === 409) break;
        if (performance.now() > until) throw new Error(`There is no outcome, but ${answer.status}`);
        if (attempt === 1) this.repeated += 1;
      }
      this.answers += 1;
    }
  }
}

/** What was answered, what Redis says and what the archive holds are the same. */
async function assertAgreed(t: Test, api: BiddingApi, auctionId: string, accepted: readonly Accepted[]) {
  const found = await api.findAuction(auctionId);
  t.equal(found?.seq, accepted.length, "as many as were answered were accepted");
  // Its newest bid may be there before those that an archiver had in hand: all are waited for.
  const archive = new ArchiveWalk(api, auctionId);
  await waitFor("the archive", () => archive.hasAll(accepted.length), 30_000);
  const pages = await Array.fromAsync(api.archivedBids(auctionId));
  const archived = pages.flat().map(({ bid_id, seq, amount }) => ({ bid_id, seq, amount }));
  const bySeq = (a: Accepted, b: Accepted) => a.seq - b.seq;
  t.same(archived.sort(bySeq), [...accepted].sort(bySeq), "nothing is lost, and nothing is there twice");
  t.ok(
    archived.every(({ amount }, index) => index === 0 || amount > Number(archived[index - 1]?.amount)),
    "amounts rise",
  );
}

t.test("up starts two gateways behind a load balancer", async (t) => {
  const events = await lab.up();
  const { parts, state } = await runtime.status();
  t.equal(state, "running");
  t.same(
    parts.map(({ name }) => name),
    [...engines, ...services],
  );
  for (const gateway of ["bidding-gateway-1", "bidding-gateway-2"]) {
    t.match(
      parts.find(({ name }) => name === gateway),
      { port: null, url: null },
    );
    t.ok(
      events.some(({ text }) => text.startsWith(`${gateway} answers (`)),
      "tells of it without a URL",
    );
    t.throws(() => runtime.endpoint(gateway), { code: "NO_SUCH_PART", message: /no port/ });
  }
  t.equal(runtime.endpoint("bidding-balancer"), `http://127.0.0.1:${settings.ports.biddingApi}`);
});

t.test("containers have only what they need", async (t) => {
  for (const { name, inspected } of await listed()) {
    const { HostConfig, Config, Mounts } = inspected;
    t.notMatch(Config.User, /^(root|0|)(:|$)/, `${name} is not root`);
    t.equal(HostConfig.ReadonlyRootfs, true, `${name} cannot write`);
    t.same(HostConfig.CapDrop, ["ALL"]);
    t.ok(
      Mounts.every(({ Type, RW }) => Type !== "bind" || !RW),
      "nor to a file of the host",
    );
  }
});

t.test("a bid goes through the load balancer to the archive, and to the live page", async (t) => {
  await using api = BiddingApi.of(runtime);
  const { auction_id } = await api.createAuction(auction("a lamp"));
  const bid = { bid_id: randomUUID(), bidder_id: "test", amount: 120 };
  t.match(await api.bid(auction_id, bid), { status: 201, seq: 1 });
  t.match(await api.bid(auction_id, bid), { status: 201, seq: 1 }, "the same again has the same answer");
  t.match(await api.bid(auction_id, { ...bid, bid_id: randomUUID() }), { status: 409, highest: 120 });
  await assertAgreed(t, api, auction_id, [{ bid_id: bid.bid_id, seq: 1, amount: 120 }]);
  const page = await fetch(`${api.liveUrl}/auctions/${auction_id}`, { headers: { accept: "text/html" } });
  t.equal(page.status, 200);
  t.match(page.headers.get("content-type"), /html/);
  t.match(await (await fetch(`${api.liveUrl}/auctions`)).json(), { auctions: [{ auction_id }] });
});

t.test("one gateway after the other is killed while clients bid", async (t) => {
  await using api = BiddingApi.of(runtime);
  const { auction_id } = await api.createAuction(auction("a clock"));
  const crowd = new Crowd(api, auction_id);
  const moreAnswers = async (after: string) => {
    const from = crowd.answers;
    await waitFor(`answers after ${after}`, () => crowd.answers >= from + 300, 60_000);
  };
  await moreAnswers("the first bids");
  await runtime.kill("bidding-gateway-1", "SIGKILL");
  await moreAnswers("the death of the first gateway");
  await waitFor(
    "the first gateway to be back",
    async () => (await listed()).find(({ name }) => name === "bidding-gateway-1")?.state === "running",
    60_000,
  );
  await runtime.kill("bidding-gateway-2", "SIGKILL");
  await moreAnswers("the death of the second gateway");
  await crowd.stop();
  t.comment(`${crowd.answers} bids, ${crowd.accepted.length} accepted, ${crowd.repeated} repeated`);
  await assertAgreed(t, api, auction_id, crowd.accepted);
});

t.test("with one gateway there is no load balancer, and the bids are still there", async (t) => {
  await using before = BiddingApi.of(runtime);
  const { auction_id } = await before.createAuction(auction("a chair"));
  t.match(await before.bid(auction_id, { bidder_id: "test", amount: 150 }), { status: 201 });
  const single = new ComposeRuntime({ ...settings, bidding: { ...settings.bidding, gateways: 1 } });
  await single.up({ profiles: ["bidding"], signal: AbortSignal.timeout(120_000), onEvent: () => {} });
  const names = (await listed()).map(({ name }) => name);
  t.same(names, [
    "nats",
    "postgres",
    "redis",
    "bidding-archiver",
    "bidding-broadcaster",
    "bidding-gateway-1",
  ]);
  t.equal(single.endpoint("bidding-gateway-1"), `http://127.0.0.1:${settings.ports.biddingApi}`);
  const broadcaster = (await listed()).find(({ name }) => name === "bidding-broadcaster");
  t.match(broadcaster && environmentOf(broadcaster.inspected), { GATEWAY_URL: /bidding-gateway-1/ });
  await using api = BiddingApi.of(single);
  t.match(await api.findAuction(auction_id), { highest: 150 });
  t.match(await api.bid(auction_id, { bidder_id: "test", amount: 160 }), { status: 201, seq: 2 });
});
