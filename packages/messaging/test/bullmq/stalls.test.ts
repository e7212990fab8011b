/** Consumers that die, freeze or stand still with jobs in hand, on a real Redis and in processes of their own. */

import { type ChildProcess, fork, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { waitFor } from "@parallax/testkit";
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import t, { type Test } from "tap";
import { redisServer } from "../../../../test/lib/redis-server.ts";
import { type Broker, BrokerUnavailable, connectBullmq, type Delivery } from "../../src/index.ts";
import type { Told } from "./processes/consumer.ts";

const redis = await redisServer();
t.teardown(() => redis[Symbol.asyncDispose]());

const PATIENCE_MS = 30_000;
const message = (body: string) => ({ body, attributes: {} });
const script = (name: string) => fileURLToPath(new URL(`processes/${name}.ts`, import.meta.url));

function open(t: Test, limits: { visibilitySeconds: number; maxReceiveCount: number }) {
  const queue = `queue-${randomUUID()}`;
  const broker = connectBullmq({ url: redis.url, queue, ...limits });
  t.teardown(() => broker[Symbol.asyncDispose]());
  return { broker, queue };
}

function consumerProcess(t: Test, queue: string, visibilitySeconds: number) {
  const args = [redis.url, queue, String(visibilitySeconds)];
  // A fresh process: what tap has loaded into this one is not its business.
  const child: ChildProcess = fork(script("consumer"), args, { execArgv: [] });
  const told: Told[] = [];
  child.on("message", (each) => told.push(each as Told));
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  return { child, told };
}

function collector(t: Test, broker: Broker) {
  const got: Delivery[] = [];
  const consumer = broker.consume(async (delivery) => void got.push(delivery), { concurrency: 10 });
  t.teardown(() => consumer.stop(0));
  return got;
}

async function drained(broker: Broker): Promise<boolean> {
  const { visible, inFlight, delayed, deadLettered } = await broker.depth();
  return visible + inFlight + delayed + deadLettered === 0;
}

t.test("what a killed consumer had in hand is done by another when its lock has ended", async (t) => {
  const { broker, queue } = open(t, { visibilitySeconds: 2, maxReceiveCount: 5 });
  await Promise.all(Array.from({ length: 5 }, (_, n) => broker.publish(message(`hold ${n}`))));
  const { child, told } = consumerProcess(t, queue, 2);
  await waitFor("five in its hands", () => told.length === 5, PATIENCE_MS);
  const got = collector(t, broker);
  const began = performance.now();
  await waitFor("half a lock's time and more", () => performance.now() - began > 3000);
  t.equal(got.length, 0, "it is alive and keeps them");
  child.kill("SIGKILL");
  await waitFor("all five", () => got.length === 5, PATIENCE_MS);
  t.ok(
    got.every(({ receiveCount }) => receiveCount === 2),
    "which is the second receive of each",
  );
  await waitFor("an empty queue", () => drained(broker));
});

t.test("a consumer that stood still learns that its lock is lost, and another does the job", async (t) => {
  const { broker, queue } = open(t, { visibilitySeconds: 1, maxReceiveCount: 5 });
  await broker.publish(message("look 4000"));
  const { told } = consumerProcess(t, queue, 1);
  await waitFor("it to begin", () => told.some(({ what }) => what === "received"), PATIENCE_MS);
  const got = collector(t, broker);
  await waitFor("the other one's delivery", () => got.length === 1, PATIENCE_MS);
  const signal = await waitFor("its signal", () => told.find((each) => each.what === "signal"), PATIENCE_MS);
  t.same(signal, { what: "signal", code: "LEASE_LOST" });
  await waitFor("an empty queue", () => drained(broker));
  t.same(
    [got.length, told.filter(({ what }) => what === "received").length],
    [1, 1],
    "received twice in all",
  );
});

t.test("an acknowledgement that comes too late is refused and reported", async (t) => {
  const { broker, queue } = open(t, { visibilitySeconds: 3, maxReceiveCount: 5 });
  await broker.publish(message("block 12000"));
  const { told } = consumerProcess(t, queue, 1);
  await waitFor("it to begin", () => told.some(({ what }) => what === "received"), PATIENCE_MS);
  const release = Promise.withResolvers<void>();
  const got: Delivery[] = [];
  const consumer = broker.consume(
    async (delivery) => {
      got.push(delivery);
      await release.promise;
    },
    { concurrency: 1 },
  );
  t.teardown(() => consumer.stop(0));
  await waitFor("the other one's delivery", () => got.length === 1, PATIENCE_MS);
  await waitFor(
    "the refusal",
    () => told.some((each) => each.what === "error" && each.where === "acknowledge"),
    PATIENCE_MS,
  );
  t.equal((await broker.depth()).inFlight, 1, "the other one's job is not taken from its hands");
  t.notOk(got[0]?.signal.aborted);
  release.resolve();
  await waitFor("an empty queue", () => drained(broker));
  t.equal(got.length, 1);
});

t.test(
  "stalls are receives: poison that takes its consumers down is dead-lettered after as many",
  async (t) => {
    const { broker, queue } = open(t, { visibilitySeconds: 1, maxReceiveCount: 3 });
    await broker.publish(message("deadly"));
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
    t.teardown(() => connection.disconnect());
    const victim = new Worker(queue, null, {
      connection,
      lockDuration: 300,
      stalledInterval: 100,
      maxStalledCount: 100,
    });
    t.teardown(() => victim.close(true));
    await victim.startStalledCheckTimer();
    for (let receive = 1; receive <= 3; receive += 1) {
      const job = await waitFor(`receive ${receive}`, () =>
        victim.getNextJob(randomUUID(), { block: false }),
      );
      t.equal(job.attemptsStarted, receive);
    }
    const got = collector(t, broker);
    await waitFor("the dead letter", async () => (await broker.depth()).deadLettered === 1, PATIENCE_MS);
    t.same(got, [], "no fourth receive reaches a handler");
    t.match(await broker.deadLetters(10), [message("deadly")]);
    t.same(await broker.redrive(), { moved: 1 });
    await waitFor("the redriven one", () => got.length === 1, PATIENCE_MS);
    t.equal(got[0]?.receiveCount, 1);
  },
);

t.test("a failure is tried again after a pause that grows, at the most the visibility timeout", async (t) => {
  const { broker } = open(t, { visibilitySeconds: 30, maxReceiveCount: 3 });
  const at: number[] = [];
  const consumer = broker.consume(
    async () => {
      at.push(performance.now());
      throw new Error("unknown");
    },
    { concurrency: 1 },
  );
  t.teardown(() => consumer.stop(0));
  await broker.publish(message("m"));
  await waitFor("the dead letter", async () => (await broker.depth()).deadLettered === 1, PATIENCE_MS);
  t.equal(at.length, 3, "exactly as many receives");
  const [first = 0, second = 0, third = 0] = at;
  t.ok(second - first >= 450, `${Math.round(second - first)} ms, of 500 to 1000`);
  t.ok(third - second >= 950, `${Math.round(third - second)} ms, of 1000 to 2000`);
});

t.test(
  "a Redis that answers nothing is BrokerUnavailable in time, and a stop does not wait for it",
  async (t) => {
    const { broker } = open(t, { visibilitySeconds: 30, maxReceiveCount: 3 });
    await broker.publish(message("before"));
    const began = Promise.withResolvers<void>();
    const consumer = broker.consume(
      async () => {
        began.resolve();
        await new Promise(() => {});
      },
      { concurrency: 2 },
    );
    await began.promise;
    redis.freeze();
    t.teardown(() => redis.thaw());
    const frozen = performance.now();
    const error = await broker.publish(message("m")).catch((error: unknown) => error);
    t.type(error, BrokerUnavailable);
    t.ok(performance.now() - frozen < 6500, `after ${Math.round(performance.now() - frozen)} ms`);
    const stopping = performance.now();
    t.same(await consumer.stop(200), { finished: 0, handedBack: 1 });
    t.ok(
      performance.now() - stopping < 15_000,
      `stopped after ${Math.round(performance.now() - stopping)} ms`,
    );
  },
);

t.test("what Redis does not answer says so, and is not taken for a lost lock", async (t) => {
  const { broker } = open(t, { visibilitySeconds: 30, maxReceiveCount: 3 });
  await Promise.all(Array.from({ length: 3 }, (_, n) => broker.publish(message(`m${n}`))));
  const gate = Promise.withResolvers<void>();
  const told: { error: Error; what: string }[] = [];
  const consumer = broker.consume(() => gate.promise, {
    concurrency: 3,
    onError: (error, what) => told.push({ error: error as Error, what }),
  });
  t.teardown(() => consumer.stop(0));
  await waitFor("all in hand", () => consumer.inFlight === 3);
  redis.freeze();
  t.teardown(() => redis.thaw());
  gate.resolve();
  const failures = () => told.filter(({ what }) => what === "acknowledge");
  await waitFor("the failures", () => failures().length === 3, PATIENCE_MS);
  for (const { error } of failures()) t.match(error.message, /timed out/);
});

t.test("closed, it keeps no process alive", async (t) => {
  const child = spawn(process.execPath, [script("leaves-by-itself"), redis.url, `queue-${randomUUID()}`], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const [code, signal] = await once(child, "exit", { signal: AbortSignal.timeout(PATIENCE_MS) });
  t.same([code, signal], [0, null]);
});
