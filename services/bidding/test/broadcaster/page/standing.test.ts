import fc from "fast-check";
import t from "tap";

const { Auction } = await import(new URL("../../../src/broadcaster/page/standing.js", import.meta.url).href);

const snapshot = {
  type: "snapshot",
  item: "A lamp",
  status: "open",
  starting_price: 100,
  min_increment: 10,
  ends_at: "2026-01-02T03:04:05.000Z",
  seq: 2,
  highest: 120,
  bidder_id: "ann",
};

function begun(changes: object = {}) {
  const auction = new Auction();
  auction.replace({ ...snapshot, ...changes });
  return auction;
}

t.test("the least is the starting price, then the highest and the step", async (t) => {
  t.equal(new Auction().least, undefined);
  t.equal(begun({ seq: 0, highest: null, bidder_id: null }).least, 100);
  t.equal(begun().least, 130);
});

t.test("how a person stands", async (t) => {
  const auction = begun();
  t.equal(auction.stateOf("bob", false), "none");
  t.equal(auction.stateOf("bob", true), "outbid");
  t.equal(auction.stateOf("ann", false), "lead");
  t.equal(begun({ seq: 0, highest: null, bidder_id: null }).stateOf("", false), "none");
  auction.update({ type: "ended", seq: 2, highest: 120, bidder_id: "ann" });
  t.equal(auction.stateOf("ann", true), "won");
  t.equal(auction.stateOf("bob", true), "lost");
  t.equal(auction.stateOf("eve", false), "none");
});

t.test("a refusal tells of a bid whose bidder is not known", async (t) => {
  const auction = begun();
  auction.update({ seq: 2, highest: 120, least: 130 });
  t.equal(auction.standing.bidder_id, "ann", "the one that is known");
  auction.update({ seq: 5, highest: 170, least: 180 });
  t.match(auction.standing, { seq: 5, highest: 170, bidder_id: undefined });
  t.equal(auction.stateOf("ann", true), "outbid");
  auction.update({ type: "price", seq: 5, highest: 170, bidder_id: "bob" });
  t.equal(auction.standing.bidder_id, "bob");
});

t.test("what is no standing changes nothing", async (t) => {
  const auction = begun();
  const { standing } = auction;
  auction.update({ type: "tock" });
  t.equal(auction.standing, standing);
});

t.test("a snapshot says how it is, even when that is less than what was known", async (t) => {
  const auction = begun();
  auction.replace({ ...snapshot, seq: 1, highest: 100 });
  t.match(auction.standing, { seq: 1, highest: 100 });
});

t.test("property: whatever comes in whatever order, seq never goes back and an end stays", async (t) => {
  const messages = fc.array(
    fc.record({ type: fc.constantFrom("price", "ended"), seq: fc.nat(20), bidder_id: fc.constant("bob") }),
  );
  fc.assert(
    fc.property(messages, (all) => {
      const auction = begun();
      let { seq, status } = auction.standing;
      for (const message of all) {
        auction.update({ ...message, highest: message.seq * 10 + 100 });
        if (auction.standing.seq < seq) return false;
        if (status === "ended" && auction.standing.status !== "ended") return false;
        ({ seq, status } = auction.standing);
      }
      return seq === Math.max(2, ...all.map((message) => message.seq));
    }),
  );
  t.pass();
});

t.test("the time left is by the server's clock: the furthest that it has been heard to say", async (t) => {
  const auction = begun();
  const end = Date.parse(snapshot.ends_at);
  auction.hear(new Date(end - 60_000).toISOString());
  t.ok(auction.left <= 60_000 && auction.left > 59_000, `${auction.left}`);
  auction.hear(new Date(end - 30_000).toISOString());
  t.ok(auction.left <= 30_000 && auction.left > 29_000, `${auction.left}`);
  auction.hear(new Date(end - 50_000).toISOString());
  auction.hear("garbage");
  auction.hear(undefined);
  t.ok(auction.left <= 30_000 && auction.left > 29_000, `late messages change nothing: ${auction.left}`);
  auction.hear(new Date(end + 5000).toISOString());
  t.equal(auction.left, 0);
});
