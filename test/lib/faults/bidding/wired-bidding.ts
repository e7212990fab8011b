/**
 * A bidding lab of the test's own whose services reach Redis, NATS and Postgres through toxiproxy: parts can be killed by the
 * runtime, and the wires between them cut, silenced and delayed. What the test itself asks of the engines goes past the wires.
 */

import { readdir, readFile, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import pg from "pg";
import type { Test } from "tap";
import { BiddingApi } from "../../../../lab/src/experiments/bidding/bidding-api.ts";
import { labPaths } from "../../../../lab/src/paths.ts";
import { biddingParts } from "../../../../lab/src/runtimes/process/bidding-parts.ts";
import type { PartPlan } from "../../../../lab/src/runtimes/process/plan.ts";
import type { Runtime } from "../../../../lab/src/runtimes/runtime.ts";
import type { Settings } from "../../../../lab/src/settings.ts";
import { ARCHIVER, STREAM } from "../../../../services/bidding/src/adapters/event-stream.ts";
import { outboxKey, relayKey } from "../../../../services/bidding/src/adapters/keys.ts";
import { type OwnLab, ownLab } from "../../own-lab.ts";
import { type Reply, RespClient } from "../../resp.ts";
import { startToxiproxy, type Toxiproxy, type Wire } from "../../toxiproxy.ts";
import { type OwnProcess, startService } from "../own-process.ts";
import { metricOf } from "../service-signs.ts";

export type BiddingPart = "bidding-gateway-1" | "bidding-broadcaster" | "bidding-archiver";
type Environment = Readonly<Record<string, string>>;

export interface BiddingWires {
  readonly gatewayRedis: Wire;
  /** From the gateway's relay to NATS. */
  readonly relay: Wire;
  readonly archiverNats: Wire;
  readonly archiverPostgres: Wire;
  readonly archiverRedis: Wire;
  readonly broadcasterNats: Wire;
}

/** Lines of each part's log. */
const MOST_TROUBLE = 15;
const QUERY_MS = 10_000;

export class WiredBidding {
  readonly runtimeName = "process";
  readonly runtime: Runtime;
  readonly wires: BiddingWires;
  readonly api: BiddingApi;
  /** Of the first gateway. */
  readonly gatewayUrl: string;
  readonly liveUrl: string;
  readonly #lab: OwnLab;

  /** Up and healthy, gone when `t` ends. `environments` overrides what the lab gives to its services. */
  static async start(
    t: Test,
    environments: Partial<Record<BiddingPart, Environment>> = {},
  ): Promise<WiredBidding> {
    const toxiproxy = await startToxiproxy(t);
    let wires: BiddingWires | undefined;
    const lab = await ownLab(t, { PROFILE: "bidding" }, async ({ ports }) => {
      const made = await makeWires(toxiproxy, ports);
      wires = made;
      return (part) => {
        const own = environments[part.name as BiddingPart];
        return { ...part, environment: { ...part.environment, ...wiring(part, made), ...own } };
      };
    });
    const wired = new WiredBidding(lab, wires as unknown as BiddingWires);
    t.teardown(async () => {
      if (!t.passing()) await wired.#showTrouble(t);
      await wired.api[Symbol.asyncDispose]();
    });
    return wired;
  }

  private constructor(lab: OwnLab, wires: BiddingWires) {
    this.#lab = lab;
    this.runtime = lab.runtime;
    this.wires = wires;
    this.gatewayUrl = lab.runtime.endpoint("bidding-gateway-1");
    this.liveUrl = lab.runtime.endpoint("bidding-broadcaster");
    this.api = BiddingApi.of(lab.runtime);
  }

  /** Another one beside the lab's own, not on its wires; gone when `t` ends. */
  another(t: Test, part: BiddingPart, environment: Environment = {}): Promise<OwnProcess> {
    const plans = biddingParts(this.#lab.settings, this.runtime.endpoint("postgres"));
    const plan = plans.find(({ name }) => name === part);
    if (!plan) throw new Error(`There is no part ${part}`);
    return startService(t, plan, environment);
  }

  /** All wires are as they were at first: for what comes after a story that failed. */
  async heal(): Promise<void> {
    for (const wire of Object.values(this.wires)) await wire.heal();
  }

  /** One command to Redis. */
  async redis(...words: readonly string[]): Promise<Reply> {
    using client = await RespClient.open(this.#lab.settings.ports.redis);
    return await client.send(...words);
  }

  /** Milliseconds since the epoch by the clock that decides. */
  async redisTime(): Promise<number> {
    const [seconds, micros] = (await this.redis("TIME")) as [string, string];
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  /** Events that the archive does not have. */
  async unarchived(): Promise<number> {
    return Number(await this.redis("XLEN", outboxKey));
  }

  /** Which relay leads; null between two. */
  async leader(): Promise<Reply> {
    return await this.redis("GET", relayKey);
  }

  /** One query to Postgres. */
  async sql<Row extends object>(query: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({
      connectionString: this.runtime.endpoint("postgres"),
      connectionTimeoutMillis: QUERY_MS,
      query_timeout: QUERY_MS,
    });
    // A server that is killed meanwhile fails the query; the connection's own error would be thrown at nobody.
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query(query, [...values])).rows as Row[];
    } finally {
      await client.end();
    }
  }

  async jetStream<T>(ask: (manager: JetStreamManager, connection: NatsConnection) => Promise<T>): Promise<T> {
    const connection = await connect({
      servers: `nats://127.0.0.1:${this.#lab.settings.ports.nats}`,
      timeout: 2000,
      reconnect: false,
    });
    try {
      return await ask(await jetstreamManager(connection, { timeout: 5000 }), connection);
    } finally {
      await connection.close();
    }
  }

  /** Messages in the stream; those that are delivered and not acknowledged; those that were delivered more than once. */
  async stream(): Promise<{ messages: number; pending: number; unsettled: number; redelivered: number }> {
    return await this.jetStream(async (manager) => {
      const [stream, consumer] = await Promise.all([
        manager.streams.info(STREAM),
        manager.consumers.info(STREAM, ARCHIVER),
      ]);
      return {
        messages: stream.state.messages,
        pending: consumer.num_pending,
        unsettled: consumer.num_ack_pending,
        redelivered: consumer.num_redelivered,
      };
    });
  }

  /** Nobody can write bids into the archive until `release`. */
  async lockArchive(t: Test): Promise<{ release(): Promise<void> }> {
    const client = new pg.Client({ connectionString: this.runtime.endpoint("postgres") });
    client.on("error", () => {});
    await client.connect();
    const release = () => client.end();
    t.teardown(() => release().catch(() => {}));
    await client.query("begin");
    await client.query("lock table bidding.bids in share mode");
    return { release };
  }

  /** Whether the lab's gateway can do its work. */
  readonly gatewayReady = async (): Promise<boolean> =>
    (await fetch(`${this.gatewayUrl}/health/ready`, { signal: AbortSignal.timeout(5000) })).ok;

  /** Bytes of what Redis has written down. */
  async redisLogSize(): Promise<number> {
    return (await stat(await this.#redisLog())).size;
  }

  /** What Redis has written down since the log had this size is gone; it must not run. */
  async truncateRedisLog(size: number): Promise<void> {
    await truncate(await this.#redisLog(), size);
  }

  async #redisLog(): Promise<string> {
    const directory = join(labPaths(this.#lab.directory).data, "redis", "appendonlydir");
    const parts = (await readdir(directory)).filter((name) => name.endsWith(".incr.aof"));
    if (parts.length !== 1) throw new Error(`The log has ${parts.length} parts: ${parts}`);
    return join(directory, parts[0] as string);
  }

  /** What NATS keeps on its disk is gone; it must not run. */
  async loseNatsDisk(): Promise<void> {
    await rm(join(labPaths(this.#lab.directory).data, "nats", "jetstream"), { recursive: true });
  }

  /** A sample of the part's metrics by name and, in Prometheus' own writing, one of its labels. */
  metric(part: BiddingPart, name: string, label?: string): Promise<number> {
    return metricOf(this.runtime.endpoint(part), name, label);
  }

  async logged(part: string): Promise<string> {
    return await readFile(join(this.#lab.directory, "logs", `${part}.log`), "utf8");
  }

  /** The logs go with the lab: what is worse than normal is worth keeping beside a failure. */
  async #showTrouble(t: Test): Promise<void> {
    for (const part of ["bidding-gateway-1", "bidding-broadcaster", "bidding-archiver"]) {
      const worse = (await this.logged(part))
        .split("\n")
        .filter((line) => /"level":"(warn|error|fatal)"/.test(line));
      for (const line of worse.slice(-MOST_TROUBLE)) t.comment(`${part}: ${line.slice(0, 600)}`);
    }
  }
}

async function makeWires(toxiproxy: Toxiproxy, ports: Settings["ports"]): Promise<BiddingWires> {
  const wire = (name: string, port: number) => toxiproxy.wire(name, `http://127.0.0.1:${port}`);
  const [gatewayRedis, relay, archiverNats, archiverPostgres, archiverRedis, broadcasterNats] =
    await Promise.all([
      wire("gateway-redis", ports.redis),
      wire("relay", ports.nats),
      wire("archiver-nats", ports.nats),
      wire("archiver-postgres", ports.postgres),
      wire("archiver-redis", ports.redis),
      wire("broadcaster-nats", ports.nats),
    ]);
  return { gatewayRedis, relay, archiverNats, archiverPostgres, archiverRedis, broadcasterNats };
}

/** The variables that lead a service over the wires. */
function wiring({ name, environment }: PartPlan, wires: BiddingWires): Environment {
  const redis = ({ port }: Wire) => ({ REDIS_URL: `redis://127.0.0.1:${port}` });
  const nats = ({ port }: Wire) => ({ NATS_URL: `nats://127.0.0.1:${port}` });
  switch (name) {
    case "bidding-gateway-1":
      return { ...redis(wires.gatewayRedis), ...nats(wires.relay) };
    case "bidding-broadcaster":
      return nats(wires.broadcasterNats);
    case "bidding-archiver": {
      const database = new URL(environment.DATABASE_URL ?? "");
      database.port = String(wires.archiverPostgres.port);
      return {
        ...redis(wires.archiverRedis),
        ...nats(wires.archiverNats),
        DATABASE_URL: database.href,
      };
    }
    default:
      return {};
  }
}
