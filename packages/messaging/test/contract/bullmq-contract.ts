/** What only the BullMQ adapter does: Redis away, full, set to evict, killed and started again with its data. */

import { randomUUID } from "node:crypto";
import { waitFor } from "@parallax/testkit";
import { Redis } from "ioredis";
import type { Test } from "tap";
import { BrokerUnavailable, bullmqOperator, connectBullmq, PermanentFailure } from "../../src/index.ts";

/** A Redis that writes down what it acknowledges, to be killed and started again at the same address. */
export interface RedisUnderTest {
  readonly url: string;
  kill(): Promise<void>;
  /** Resolves when it answers. */
  start(): Promise<void>;
}

const LIMITS = { visibilitySeconds: 2, maxReceiveCount: 100 };
const WRITERS = 8;
const PATIENCE_MS = 60_000;
/** What a publish may take when nothing answers, and a busy machine's share. */
const UNAVAILABLE_MS = 5000 + 1500;
const message = (body: string) => ({ body, attributes: {} });

/** Adds the contract's tests to `t`, one subtest each. Redis runs before and after. */
export function bullmqContract(t: Test, { url, kill, start }: RedisUnderTest): void {
  const connect = (name: string = randomUUID()) => connectBullmq({ url, queue: `queue-${name}`, ...LIMITS });

  t.test(
    "a Redis that is not there is BrokerUnavailable, soon and with its cause; then it is there",
    async (t) => {
      await using broker = connect();
      await using operator = bullmqOperator({ url, queue: "nowhere" });
      await kill();
      for (const call of [
        () => broker.prepare(),
        () => broker.publish(message("m")),
        () => broker.check(),
        () => broker.depth(),
        () => operator.redrive(),
      ]) {
        const began = performance.now();
        const error = await failure(call());
        t.ok(performance.now() - began < UNAVAILABLE_MS, "it is told soon");
        t.type(error, BrokerUnavailable);
        t.match(error, { retryable: true, message: /ECONNREFUSED/, cause: { code: "ECONNREFUSED" } });
      }
      await start();
      await waitFor("a publish", () => broker.publish(message("m")).then(() => true));
      t.same(await operator.redrive(), { moved: 0 });
    },
  );

  t.test("a Redis that may evict is refused, with what to do, until it may not", async (t) => {
    const admin = await administrator(t, url);
    await using broker = connect();
    await admin.config("SET", "maxmemory-policy", "allkeys-lru");
    t.teardown(() => admin.config("SET", "maxmemory-policy", "noeviction"));
    const errors: Error[] = [];
    const got: string[] = [];
    const consumer = broker.consume(async ({ body }) => void got.push(body), {
      concurrency: 1,
      onError: (error) => errors.push(error as Error),
    });
    t.teardown(() => consumer.stop(0));
    for (const call of [() => broker.prepare(), () => broker.publish(message("m")), () => broker.check()])
      t.match(await failure(call()), { code: "BROKER_UNAVAILABLE", message: /allkeys-lru.*noeviction/ });
    await waitFor("the consumer to say so", () =>
      errors.some(({ message }) => message.includes("noeviction")),
    );
    await admin.config("SET", "maxmemory-policy", "noeviction");
    await broker.publish(message("m"));
    await waitFor("the message", () => got.length === 1);
  });

  t.test("a full Redis refuses, keeps what it has acknowledged and goes on when there is room", async (t) => {
    const admin = await administrator(t, url);
    await using broker = connect();
    await broker.prepare();
    const used = Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
    await admin.config("SET", "maxmemory", String(used + 4 * 1024 * 1024));
    t.teardown(() => admin.config("SET", "maxmemory", "0"));
    const acknowledged: string[] = [];
    const filler = "x".repeat(64 * 1024);
    const refusal = await failure(
      (async () => {
        for (let n = 0; n < 1000; n += 1) {
          await broker.publish(message(`${n} ${filler}`));
          acknowledged.push(`${n}`);
        }
      })(),
    );
    t.match(refusal, { code: "BROKER_UNAVAILABLE", message: /OOM/ });
    t.ok(acknowledged.length > 10, `${acknowledged.length} fitted`);
    t.equal((await broker.depth()).visible, acknowledged.length);
    await admin.config("SET", "maxmemory", "0");
    const got = new Set<string>();
    const consumer = broker.consume(async ({ body }) => void got.add(body.split(" ")[0] ?? ""), {
      concurrency: 5,
    });
    t.teardown(() => consumer.stop(0));
    await broker.publish(message("last"));
    await waitFor("all of them", () => got.size === acknowledged.length + 1);
    t.ok([...acknowledged, "last"].every((body) => got.has(body)));
  });

  t.test("a dead letter without contents is passed over, and the others are told once each", async (t) => {
    const admin = await administrator(t, url);
    const name = randomUUID();
    await using broker = connectBullmq({
      url,
      queue: `queue-${name}`,
      visibilitySeconds: 2,
      maxReceiveCount: 1,
    });
    const consumer = broker.consume(
      async () => {
        throw new PermanentFailure("poison");
      },
      { concurrency: 1 },
    );
    t.teardown(() => consumer.stop(0));
    const bodies = ["m0", "m1", "m2"];
    for (const body of bodies) await broker.publish(message(body));
    const all = async () => (await broker.depth()).deadLettered === 3;
    await waitFor("all three to be dead letters", all, PATIENCE_MS);
    const [first = ""] = await admin.zrange(`bull:queue-${name}:failed`, "0", "0");
    const { body } = JSON.parse((await admin.hget(`bull:queue-${name}:${first}`, "data")) ?? "{}");
    await admin.del(`bull:queue-${name}:${first}`);
    const others = bodies.filter((each) => each !== body);
    const told = async (limit: number) => (await broker.deadLetters(limit)).map(({ body }) => body);
    t.same((await told(10)).sort(), others);
    t.equal((await told(1)).length, 1, "as many as are asked for");
    await admin.zrem(`bull:queue-${name}:failed`, first);
  });

  t.test("Redis killed under load and started again: all that was acknowledged is delivered", async (t) => {
    await using producer = connect("killed");
    await using processor = connect("killed");
    await producer.prepare();
    const acknowledged = new Set<string>();
    const refused: unknown[] = [];
    const delivered = new Map<string, number>();
    const consumer = processor.consume(
      async ({ body }) => void delivered.set(body, (delivered.get(body) ?? 0) + 1),
      { concurrency: 20 },
    );
    t.teardown(() => consumer.stop(0));
    let done = false;
    const writing = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let n = 0; !done; n += 1) {
        const body = `${writer}-${n}`;
        await producer.publish(message(body)).then(
          () => acknowledged.add(body),
          (error: unknown) => refused.push(error),
        );
      }
    });
    try {
      for (let round = 1; round <= 2; round += 1) {
        const before = acknowledged.size;
        await waitFor("some hundred more", () => acknowledged.size > before + 300, PATIENCE_MS);
        const refusals = refused.length;
        await kill();
        await waitFor("the outage to be seen", () => refused.length > refusals, PATIENCE_MS);
        await start();
      }
      const before = acknowledged.size;
      await waitFor("some hundred more", () => acknowledged.size > before + 300, PATIENCE_MS);
    } finally {
      done = true;
      await Promise.all(writing);
    }
    t.ok(
      refused.every((error) => error instanceof BrokerUnavailable),
      "what was refused says so",
    );
    const lost = () => [...acknowledged].filter((body) => !delivered.has(body));
    await waitFor("all deliveries", () => lost().length === 0, PATIENCE_MS).catch(() => {});
    t.same(lost(), [], "nothing is lost");
    await waitFor(
      "an empty queue",
      async () => {
        const { visible, inFlight, delayed } = await processor.depth();
        return visible + inFlight + delayed === 0;
      },
      PATIENCE_MS,
    );
    const twice = [...delivered.values()].filter((count) => count > 1).length;
    t.comment(
      `${acknowledged.size} acknowledged, ${refused.length} refused, ${delivered.size} delivered, ${twice} of them more than once`,
    );
    t.same(await processor.deadLetters(10), []);
  });
}

async function failure(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function administrator(t: Test, url: string): Promise<Redis> {
  const client = new Redis(url);
  t.teardown(() => client.disconnect());
  await client.ping();
  return client;
}
