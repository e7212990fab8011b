/** The stream of events on a real NATS: its contract, and what only JetStream can do to us. */

import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { silentLogger, waitFor } from "@parallax/testkit";
import t from "tap";
import { ARCHIVER, STREAM } from "../../services/bidding/src/adapters/event-stream.ts";
import { jetStreamPublisher } from "../../services/bidding/src/adapters/jetstream-publisher.ts";
import { jetStreamSource } from "../../services/bidding/src/adapters/jetstream-source.ts";
import { NatsLink } from "../../services/bidding/src/adapters/nats.ts";
import { eventStreamContract } from "../../services/bidding/test/contract/event-stream-contract.ts";
import { aBid } from "../../services/bidding/test/some-events.ts";
import { natsServer } from "../lib/nats-server.ts";

const nats = await natsServer();
t.teardown(() => nats[Symbol.asyncDispose]());
const link = new NatsLink({ url: nats.url, name: "test", logger: silentLogger() });
t.teardown(() => link[Symbol.asyncDispose]());
const never = new AbortController().signal;
await link.ready(never);
const publisher = jetStreamPublisher(link, { dedupeSeconds: 120 });
const source = jetStreamSource(link, { dedupeSeconds: 120, patienceMs: 3000 });
const disconnected = () => waitFor("the connection to be lost", () => !link.connected);

await publisher.inspect();
eventStreamContract(t, {
  publisher,
  source,
  async loseDisk() {
    await nats.kill();
    await rm(join(nats.data, "nats", "jetstream"), { recursive: true });
    await disconnected();
    await nats.start();
  },
  async goAway() {
    await nats.kill();
    await disconnected();
  },
  async comeBack() {
    await nats.start();
  },
});

t.test("a stream or a consumer that somebody deletes ends the deliveries, and is made again", async () => {
  const manager = await jetstreamManager(link.connection);
  for (const remove of [
    () => manager.consumers.delete(STREAM, ARCHIVER),
    () => manager.streams.delete(STREAM),
  ]) {
    const before = await source.open(10, () => {});
    await remove();
    await waitFor("the end of the deliveries", () => before.ended.aborted, 20_000);
    await before.stop();
    const taken: string[] = [];
    const after = await source.open(10, (delivery) => {
      taken.push(delivery.text);
      delivery.ack();
    });
    await publisher.publish(aBid(randomUUID(), 1));
    await waitFor("the delivery", () => taken.length === 1);
    await after.stop();
  }
});

t.test("settings that have changed are brought up to date, and nothing is lost by it", async (t) => {
  await publisher.publish(aBid(randomUUID(), 1));
  const other = jetStreamSource(link, { dedupeSeconds: 1, patienceMs: 2000 });
  const taken: string[] = [];
  const deliveries = await other.open(7, (delivery) => {
    taken.push(delivery.text);
    delivery.ack();
  });
  await waitFor("what was there", () => taken.length === 1);
  await deliveries.stop();
  const manager = await jetstreamManager(link.connection);
  const { config } = await manager.streams.info(STREAM);
  t.match(config, { retention: "workqueue", storage: "file", discard: "new", duplicate_window: 1e9 });
  const consumer = await manager.consumers.info(STREAM, ARCHIVER);
  t.match(consumer.config, { ack_policy: "explicit", max_ack_pending: 7, ack_wait: 2e9 });
});

t.test("a link to a server that comes up later connects then, and counts its connections", async (t) => {
  await nats.kill();
  await using late = new NatsLink({ url: nats.url, name: "late", logger: silentLogger() });
  t.notOk(late.connected);
  t.throws(() => late.connection, { message: "NATS does not answer." });
  await t.rejects(late.check(), { code: "DEPENDENCY_UNAVAILABLE" });
  const ready = late.ready(never);
  await nats.start();
  await ready;
  t.equal(late.epoch, 1);
  await late.check();
  const lost = late.lost(1);
  t.notOk(lost.aborted);
  await nats.kill();
  await waitFor("the loss", () => lost.aborted);
  t.ok(late.lost(1).aborted);
  await nats.start();
  await late.ready(never);
  t.equal(late.epoch, 2);
  t.notOk(late.lost(2).aborted);
  t.equal(late.lost(2), late.lost(2), "one for all who ask, however often they do");
});

t.test("closing one that has never connected ends at once", async (t) => {
  await nats.kill();
  const late = new NatsLink({ url: nats.url, name: "late", logger: silentLogger() });
  const ready = t.rejects(late.ready(never), { code: "DEPENDENCY_UNAVAILABLE" });
  await late[Symbol.asyncDispose]();
  await ready;
  await nats.start();
});
