import { randomUUID } from "node:crypto";
import { createMetrics } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { MemoryEventStream } from "../../../src/adapters/memory-event-stream.ts";
import { MemoryLease, MemoryOutbox } from "../../../src/adapters/memory-outbox.ts";
import type { Delivery } from "../../../src/domain/archiving.ts";
import { decodeEvent } from "../../../src/domain/events.ts";
import { createRelayMetrics } from "../../../src/gateway/relay/metrics.ts";
import { type RelayParts, startRelay } from "../../../src/gateway/relay/relay.ts";
import { aBid, toAppend } from "../../some-events.ts";

function world(t: Test, given: Partial<RelayParts> & { dedupeMs?: number } = {}) {
  const { dedupeMs = 120_000, ...changed } = given;
  const stream = new MemoryEventStream({ dedupeMs });
  t.teardown(() => stream[Symbol.dispose]());
  const outbox = new MemoryOutbox();
  const metrics = createMetrics("test");
  const parts: RelayParts = {
    outbox,
    publisher: stream,
    lease: new MemoryLease(),
    logger: silentLogger(),
    metrics: createRelayMetrics(metrics),
    mostInFlight: 8,
    staleMs: 60_000,
    lookMs: 20,
    leaseMs: 150,
    ...changed,
  };
  const relay = (more: Partial<RelayParts> = {}) => {
    const started = startRelay({ ...parts, ...more });
    t.teardown(() => started.stop());
    return started;
  };
  const id = randomUUID();
  let seq = 0;
  const bid = (count: number) => {
    for (let at = 0; at < count; at += 1) {
      seq += 1;
      outbox.append(toAppend(aBid(id, seq)));
    }
  };
  const value = async (name: string) => {
    const metric = await metrics.registry.getSingleMetric(name)?.get();
    return metric?.values.reduce((sum, each) => sum + each.value, 0);
  };
  const waiting = async () => (await stream.inspect()).waiting;
  return { stream, outbox, relay, bid, value, waiting };
}

/** Takes all that is in the stream, as an archiver would. */
async function take(stream: MemoryEventStream, onEvent: (seq: number, outboxId: string) => void) {
  return await stream.open(10_000, (delivery: Delivery) => {
    const event = decodeEvent(delivery.text);
    onEvent(event.type === "bid" ? event.seq : 0, event.outbox_id);
    delivery.ack();
  });
}

t.test("what is in the outbox is published, in its order, and stays there", async (t) => {
  const { stream, outbox, relay, bid, value } = world(t);
  const seen: number[] = [];
  await take(stream, (seq) => seen.push(seq));
  bid(50);
  const running = relay();
  await waitFor("what was there", () => seen.length === 50);
  bid(30);
  await waitFor("what comes later", () => seen.length === 80);
  t.same(
    seen,
    Array.from({ length: 80 }, (_, at) => at + 1),
  );
  t.equal(outbox.entries.length, 80);
  await running.stop();
  t.equal(await value("bidding_relay_published_total"), 80);
  t.equal(await value("bidding_relay_republished_total"), 0);
});

t.test("while the stream is away nothing is lost, and no more is on its way than may be", async (t) => {
  const { stream, relay, bid, waiting, value } = world(t);
  let together = 0;
  let most = 0;
  relay({
    publisher: {
      inspect: () => stream.inspect(),
      ready: (signal) => stream.ready(signal),
      async publish(event) {
        together += 1;
        most = Math.max(most, together);
        return await stream.publish(event).finally(() => {
          together -= 1;
        });
      },
    },
  });
  bid(10);
  await waitFor("the first ten", async () => (await waiting()) === 10);
  stream.goAway();
  bid(100);
  stream.comeBack();
  await waitFor("all", async () => (await waiting()) === 110);
  t.ok(most <= 8, `${most} at once`);
  await waitFor("the length to be told", async () => (await value("bidding_outbox_length")) === 110);
});

t.test("publishing that fails now and then begins again at what failed", async (t) => {
  const { stream, relay, bid } = world(t);
  const seen: number[] = [];
  await take(stream, (seq) => seen.push(seq));
  let calls = 0;
  relay({
    publisher: {
      inspect: () => stream.inspect(),
      ready: (signal) => stream.ready(signal),
      async publish(event) {
        calls += 1;
        if (calls % 7 === 0) throw new Error("now and then");
        return await stream.publish(event);
      },
    },
  });
  bid(60);
  await waitFor("all of them", () => new Set(seen).size === 60);
  t.equal(seen.length, 60, "each once: the stream knows those that it has");
});

t.test("a stream that lost its disk gets everything that is not archived again", async (t) => {
  const { stream, outbox, relay, bid, waiting, value } = world(t);
  relay();
  bid(20);
  await waitFor("all", async () => (await waiting()) === 20);
  await outbox.remove(outbox.entries.slice(0, 5).map(({ id }) => id));
  stream.loseDisk();
  await waitFor("what is not archived", async () => (await waiting()) === 15);
  bid(3);
  await waitFor("what comes after", async () => (await waiting()) === 18);
  t.equal(await value("bidding_relay_republished_total"), 15);
});

t.test("what is left over though all is done is published again, beyond the dedupe window", async (t) => {
  const { stream, outbox, relay, bid, value } = world(t, { dedupeMs: 50, staleMs: 100 });
  let lose = true;
  const seen: string[] = [];
  // An archiver that loses what it is given at first.
  await take(stream, (_, outboxId) => {
    seen.push(outboxId);
    if (!lose) void outbox.remove([outboxId]);
  });
  bid(5);
  relay();
  await waitFor("them to be lost", () => seen.length === 5);
  lose = false;
  await waitFor("the outbox to be empty", () => outbox.entries.length === 0);
  t.ok(seen.length >= 10);
  t.ok(Number(await value("bidding_relay_begun_total")) >= 2);
});

t.test("an entry that is no event is told, and stands in the way of nothing", async (t) => {
  const { outbox, relay, bid, waiting, value } = world(t);
  bid(2);
  outbox.entries.splice(1, 0, { id: `${outbox.entries[0]?.id}5`, fields: { type: "rumour" } });
  relay();
  await waitFor("the others", async () => (await waiting()) === 2);
  t.equal(await value("bidding_relay_unreadable_total"), 1);
});

t.test(
  "one relays; when it ends the other goes on at once, and when it is stuck, after its lease",
  async (t) => {
    const { stream, relay, bid } = world(t);
    const seen: number[] = [];
    await take(stream, (seq) => seen.push(seq));
    const lease = new MemoryLease();
    const one = relay({ lease });
    await waitFor("the first to lead", () => one.leads);
    const two = relay({ lease });
    bid(5);
    await waitFor("five", () => seen.length === 5);
    t.notOk(two.leads);
    await one.stop();
    bid(5);
    await waitFor("ten", () => seen.length === 10);
    t.ok(two.leads);
    // Held by one that does nothing: it cannot renew it.
    await two.stop();
    await lease.hold("stuck", 150);
    const three = relay({ lease });
    bid(1);
    await waitFor("the lease to end", () => three.leads && seen.length === 11);
  },
);
