/** The archive on Postgres: its contract, what it refuses, and that it waits for a Postgres that is away. */

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { migrate, openPool } from "@parallax/postgres";
import { DependencyUnavailable } from "@parallax/service";
import { silentLogger, waitFor } from "@parallax/testkit";
import t from "tap";
import { BIDDING_SCHEMA, biddingMigrations } from "../../services/bidding/src/adapters/bidding-migrations.ts";
import { postgresArchiveStore } from "../../services/bidding/src/adapters/postgres-archive-store.ts";
import { postgresTurn } from "../../services/bidding/src/adapters/postgres-turn.ts";
import { DataRefused } from "../../services/bidding/src/domain/archiving.ts";
import { archiveStoreContract } from "../../services/bidding/test/contract/archive-store-contract.ts";
import { keptInPostgres } from "../../services/bidding/test/contract/kept-in-postgres.ts";
import { aBid } from "../../services/bidding/test/some-events.ts";
import { postgresServer } from "../lib/postgres-server.ts";

const postgres = await postgresServer();
t.teardown(() => postgres[Symbol.asyncDispose]());
const pool = openPool({ url: postgres.url, poolSize: 4, applicationName: "test" }, silentLogger());
t.teardown(() => pool.end());
await migrate(pool, BIDDING_SCHEMA, biddingMigrations);
const store = postgresArchiveStore(pool);
const kept = keptInPostgres(pool);

archiveStoreContract(t, store, kept);

t.test(
  "data that Postgres refuses is told apart from an outage, and nothing of its batch is written",
  async (t) => {
    const id = randomUUID();
    const batch = [aBid(id, 1), aBid(id, 2, { bidder_id: "a\0b" }), aBid(id, 3)];
    await t.rejects(store.write(batch), DataRefused);
    t.same((await kept(id)).bids, []);
    t.match(await store.write([aBid(id, 1)]), { inserted: 1 }, "its connection is as good as new");
  },
);

t.test("one is active, and another one takes over when it is gone", async (t) => {
  const [one, two] = [postgresTurn(postgres.url, silentLogger()), postgresTurn(postgres.url, silentLogger())];
  const stopping = new AbortController();
  t.teardown(() => stopping.abort(new Error("enough")));
  const first = await one.take(stopping.signal);
  let taken = false;
  const waiting = two.take(stopping.signal).then((turn) => {
    taken = true;
    return turn;
  });
  await waitFor("the other one to ask", async () => {
    const { rows } = await pool.query(
      "select count(*)::int as n from pg_stat_activity where application_name = 'archiver''s turn'",
    );
    return rows[0].n === 2;
  });
  t.notOk(taken);
  await first.end();
  await (await waiting).end();
  t.ok(first.lost.aborted);
  const held = await one.take(stopping.signal);
  const never = two.take(stopping.signal);
  stopping.abort(new Error("enough"));
  await t.rejects(never, { message: "enough" });
  await held.end();
});

t.test("a Postgres that falls silent, and does not say so, loses the turn too", async (t) => {
  // What stands between them takes everything in and hands nothing on, as when a machine has gone.
  await using way = await silentWay(new URL(postgres.url));
  const turn = await postgresTurn(way.url, silentLogger()).take(AbortSignal.timeout(10_000));
  t.notOk(turn.lost.aborted);
  way.fallSilent();
  await waitFor("the turn to be lost", () => turn.lost.aborted, 20_000);
  await turn.end();
});

t.test("a Postgres that is away is an outage; whose turn it was is lost with it", async (t) => {
  const turn = await postgresTurn(postgres.url, silentLogger()).take(AbortSignal.timeout(10_000));
  await postgres.stop();
  await waitFor("the turn to be lost", () => turn.lost.aborted);
  await turn.end();
  const bid = aBid(randomUUID(), 1);
  await t.rejects(store.write([bid]), DependencyUnavailable);
  await t.rejects(store.check(), DependencyUnavailable);
  const next = postgresTurn(postgres.url, silentLogger()).take(AbortSignal.timeout(30_000));
  await postgres.start();
  await (await next).end();
  t.match(await store.write([bid]), { inserted: 1 });
});

/** A way to the server that can fall silent with its connections open. */
async function silentWay(to: URL) {
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((client) => {
    const upstream = connect(Number(to.port), to.hostname);
    for (const [from, into] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from.on("error", () => {}));
      from.on("data", (bytes) => {
        if (!silent) into.write(bytes);
      });
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = new URL(to);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    fallSilent() {
      silent = true;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
