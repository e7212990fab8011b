/** Postgres: the pool, the migrations, and which of its errors mean that it is out rather than that we erred. */

import { setTimeout as sleep } from "node:timers/promises";
import { DependencyUnavailable, type Logger, type ServiceParts } from "@parallax/service";
import pg from "pg";
import { traceQueries } from "./traced-queries.ts";

export interface DatabaseOptions {
  readonly url: string;
  /** Connections at the most. */
  readonly poolSize: number;
  readonly applicationName: string;
  /** How long a statement may take; 10 s by default. */
  readonly statementMs?: number;
}

const CONNECT_MS = 3000;
const STATEMENT_MS = 10_000;

export function openPool(options: DatabaseOptions, logger: Logger): pg.Pool {
  const { statementMs = STATEMENT_MS } = options;
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: statementMs,
    query_timeout: statementMs + 1000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  });
  // An idle connection that the server closes is no reason to end the process; the next query reconnects.
  pool.on("error", (error) => logger.warn({ err: error }, "an idle database connection was lost"));
  return pool;
}

/** Opens the pool, registers its end, and brings `schema` up to date. */
export async function openDatabase(
  config: { readonly DATABASE_URL: string; readonly DATABASE_POOL_SIZE: number },
  { applicationName, schema, migrations }: DatabaseUse,
  { logger, releasers, tracing }: ServiceParts,
): Promise<pg.Pool> {
  const options = { url: config.DATABASE_URL, poolSize: config.DATABASE_POOL_SIZE, applicationName };
  const pool = releasers.add("database", openPool(options, logger), (pool) => pool.end());
  if (tracing) traceQueries(pool, tracing, options.url);
  await migrate(pool, schema, migrations);
  return pool;
}

export interface DatabaseUse {
  /** What Postgres shows beside each connection. */
  readonly applicationName: string;
  readonly schema: string;
  readonly migrations: readonly Migration[];
}

/** Runs `query`; @throws DependencyUnavailable when the database is out. */
export async function reached<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (!isOutage(error)) throw error;
    throw new DependencyUnavailable("The database does not answer; try again.", {
      cause: error,
      retryAfterSeconds: 5,
    });
  }
}

export interface Migration {
  /** Never changed once released. */
  readonly name: string;
  readonly sql: string;
}

/**
 * Applies what is missing, in order, each once however many services start together. Waits for the
 * database up to `patienceMs`, since services and stores may start in any order.
 */
export async function migrate(
  pool: pg.Pool,
  schema: string,
  migrations: readonly Migration[],
  patienceMs = 30_000,
): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return await applyMissing(pool, schema, migrations);
    } catch (error) {
      if (!isOutage(error) || performance.now() > until) throw error;
      await sleep(250);
    }
  }
}

async function applyMissing(pool: pg.Pool, schema: string, migrations: readonly Migration[]): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("select pg_advisory_xact_lock(hashtext($1))", [`migrate ${schema}`]);
    await client.query(`create schema if not exists ${schema}`);
    await client.query(
      `create table if not exists ${schema}.migrations (name text primary key, applied_at timestamptz not null default now())`,
    );
    const { rows } = await client.query<{ name: string }>(`select name from ${schema}.migrations`);
    const applied = new Set(rows.map(({ name }) => name));
    for (const { name, sql } of migrations) {
      if (applied.has(name)) continue;
      await client.query(sql);
      await client.query(`insert into ${schema}.migrations (name) values ($1)`, [name]);
    }
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

// 25006: it is read-only, as after a failover; 40: a conflict that passes; 57014: our own time-out.
// Class 08: connection exceptions; 57P: the server is stopping or starting; 53: out of connections, disk or memory.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const OUTAGE_STATES = /^(08|53|57P0|25006|40001|40P01|57014)/;
const OUTAGE_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);
const OUTAGE_MESSAGES =
  /connection terminated|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|not queryable/i;

function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.every(isOutage);
  const { code } = error as { code?: string };
  if (code !== undefined) return OUTAGE_CODES.has(code) || OUTAGE_STATES.test(code);
  return OUTAGE_MESSAGES.test(error.message);
}
