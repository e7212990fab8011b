/** The process runtime's plan of bidding, by itself and beside orders. */
import t from "tap";
import { biddingParts, biddingVariables } from "../../../src/runtimes/process/bidding-parts.ts";
import { embeddedSource } from "../../../src/runtimes/process/embedded-source.ts";
import { settingsFromEnv } from "../../../src/settings.ts";

function plan(env: Record<string, string>) {
  const parts = biddingParts(settingsFromEnv(env, "/"), "postgres://a@b/c");
  return Object.fromEntries(parts.map((part) => [part.name, part]));
}

t.test("services know the engines that they wait for, and the broadcaster the gateway", async (t) => {
  const parts = plan({ REDIS_PORT: "6000", NATS_PORT: "4000", BIDDING_API_PORT: "9000", BROADCAST_HZ: "5" });
  for (const name of ["bidding-gateway-1", "bidding-broadcaster", "bidding-archiver"]) {
    const { environment, dependsOn } = parts[name] ?? {};
    t.match(environment, { REDIS_URL: "redis://127.0.0.1:6000", NATS_URL: "nats://127.0.0.1:4000" }, name);
    const usesDatabase = environment !== undefined && "DATABASE_URL" in environment;
    t.equal(usesDatabase, name !== "bidding-broadcaster", name);
    t.same(dependsOn, usesDatabase ? ["redis", "nats", "postgres"] : ["redis", "nats"], name);
  }
  t.match(parts["bidding-broadcaster"]?.environment, {
    GATEWAY_URL: "http://127.0.0.1:9000",
    BROADCAST_HZ: "5",
  });
  t.equal(parts["bidding-gateway-1"]?.port, 9000);
});

t.test("what settings choose is known by part, and nothing secret is", async (t) => {
  const chosen = biddingVariables(settingsFromEnv({ BROADCAST_HZ: "7", LOG_LEVEL: "warn" }, "/"));
  t.match(chosen, {
    "bidding-broadcaster": { BROADCAST_HZ: "7" },
    "bidding-archiver": { LOG_LEVEL: "warn" },
  });
  t.notOk("BROADCAST_HZ" in (chosen["bidding-archiver"] ?? {}));
  t.notMatch(JSON.stringify(chosen), /postgres:/);
});

t.test("each system has the engines that it needs, and no other", async (t) => {
  const source = embeddedSource(settingsFromEnv({}, "/"));
  const names = (profiles: Parameters<typeof source.parts>[0]) =>
    source.parts(profiles).map(({ name }) => name);
  const services = ["bidding-gateway-1", "bidding-broadcaster", "bidding-archiver"];
  t.same(names(["bidding"]), ["postgres", "redis", "nats", ...services]);
  t.notOk(names(["orders"]).includes("nats"));
  const both = names(["orders", "bidding"]);
  t.equal(new Set(both).size, both.length, "what both need is there once");
  t.same(new Set(both), new Set([...names(["orders"]), ...names(["bidding"])]));
});
