/** Redis with the lab's own options: what it acknowledges survives a kill, and it refuses rather than evicts. */

import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { ContainerSuite, type RunningContainer } from "../lib/containers.ts";
import { labDefinition } from "../lib/lab-definitions.ts";
import { RedisError, RespClient } from "../lib/resp.ts";

const suite = await ContainerSuite.open(t);
const definition = await labDefinition("redis");
const WRITERS = 8;

/** With `appendfsync everysec`, a disk that is busy may hold a write back for this long. */
const EVERYSEC_MS = 2000;

t.test("as the lab runs it: what was acknowledged survives SIGKILL, but for the last moments", async (t) => {
  const redis = await suite.run("redis", definition);
  t.match(await configuration(redis, "append*", "maxmemory-policy"), {
    appendonly: "yes",
    appendfsync: "everysec",
    "maxmemory-policy": "noeviction",
  });
  const { acknowledged, killedAt } = await killedWhileWriting(t, redis, EVERYSEC_MS + 1000);
  const lost = await missing(redis, acknowledged.keys());
  t.comment(`${acknowledged.size} acknowledged, ${lost.length} of them lost`);
  const settled = lost.filter((key) => killedAt - (acknowledged.get(key) ?? 0) > EVERYSEC_MS);
  t.same(settled, [], "nothing that was acknowledged before the last two seconds is lost");
});

t.test("with appendfsync always, everything that was acknowledged survives SIGKILL", async (t) => {
  const command = [...(definition.command ?? []), "--appendfsync", "always"];
  const redis = await suite.run("redis-always", definition, { command });
  t.match(await configuration(redis, "appendfsync"), { appendfsync: "always" });
  const { acknowledged } = await killedWhileWriting(t, redis, 500);
  t.same(await missing(redis, acknowledged.keys()), []);
});

t.test("full: it refuses new data, keeps the old and goes on when there is room", async (t) => {
  const redis = await suite.run("redis-full", definition);
  using client = await RespClient.open(redis.port(6379));
  const used = Number(/used_memory:(\d+)/.exec(String(await client.send("INFO", "memory")))?.[1]);
  await client.send("CONFIG", "SET", "maxmemory", String(used + 4 * 1024 * 1024));
  const value = "x".repeat(64 * 1024);
  const kept: string[] = [];
  const refusal = await (async () => {
    for (let n = 0; n < 1000; n += 1) {
      await client.send("SET", `key-${n}`, value);
      kept.push(`key-${n}`);
    }
  })().catch((error: unknown) => error);
  t.type(refusal, RedisError);
  t.match(refusal, { message: /^OOM / });
  t.ok(kept.length > 10, `${kept.length} values fitted`);
  t.equal(await client.send("EXISTS", ...kept), kept.length, "none of them was evicted");
  t.match(await client.send("INFO", "stats"), /evicted_keys:0/);
  await client.send("DEL", ...kept.splice(0, 5));
  t.equal(await client.send("SET", "again", "fits"), "OK");
});

/** Writes until `forMs` have gone by and several hundred are acknowledged, kills it meanwhile, starts it again. */
async function killedWhileWriting(t: Test, redis: RunningContainer, forMs: number) {
  /** When each key was acknowledged. */
  const acknowledged = new Map<string, number>();
  const began = performance.now();
  const clients = await Promise.all(Array.from({ length: WRITERS }, () => RespClient.open(redis.port(6379))));
  const write = async (client: RespClient, writer: number) => {
    for (let n = 0; ; n += 1) {
      const key = `${writer}-${n}`;
      if ((await client.send("SET", key, "value")) === "OK") acknowledged.set(key, performance.now());
    }
  };
  const writing = Promise.allSettled(clients.map(write));
  await waitFor("some hundred writes", () => acknowledged.size > 300 && performance.now() - began > forMs);
  const killedAt = performance.now();
  await redis.kill();
  const ends = await writing;
  t.ok(
    ends.every(({ status }) => status === "rejected"),
    "it was killed in the middle of writing",
  );
  for (const client of clients) client[Symbol.dispose]();
  await redis.start();
  return { acknowledged, killedAt };
}

async function missing(redis: RunningContainer, keys: Iterable<string>): Promise<string[]> {
  using client = await RespClient.open(redis.port(6379));
  const found = await Promise.all(
    [...keys].map(async (key) => [key, await client.send("EXISTS", key)] as const),
  );
  return found.filter(([, there]) => there !== 1).map(([key]) => key);
}

async function configuration(redis: RunningContainer, ...names: string[]): Promise<Record<string, string>> {
  using client = await RespClient.open(redis.port(6379));
  const words = ((await client.send("CONFIG", "GET", ...names)) as string[]).values();
  const settings: Record<string, string> = {};
  for (const name of words) settings[name] = words.next().value ?? "";
  return settings;
}
