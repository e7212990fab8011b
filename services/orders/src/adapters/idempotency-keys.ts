/** Idempotency keys and the answers that they stand for: in Postgres, and their in-memory twin. */

import { reached } from "@parallax/postgres";
import { DependencyUnavailable } from "@parallax/service";
import type pg from "pg";
import type { IdempotencyKeys, KeptAnswer, KeyedRequest, Taken } from "../domain/ports.ts";

// Nothing is returned when the key is another request's, is being run, or has its answer.
const TAKE = `
  insert into orders.idempotency_keys as k (key, fingerprint, order_id, keeper, locked_until, expires_at)
  values ($1, $2, $3, $4, now() + make_interval(secs => $5), now() + make_interval(secs => $6))
  on conflict (key) do update set
    fingerprint = excluded.fingerprint,
    order_id = case when k.expires_at <= now() then excluded.order_id else k.order_id end,
    attempts = k.attempts + 1,
    keeper = excluded.keeper,
    locked_until = excluded.locked_until,
    (status, content_type, location, body) = row (null, null, null, null),
    expires_at = excluded.expires_at
  where k.expires_at <= now() or (
    k.fingerprint = excluded.fingerprint and k.status is null and (
      k.locked_until is null or k.locked_until <= now()
      or not exists (select from orders.receivers r where r.instance = k.keeper and r.alive_until > now())
    )
  )
  returning order_id, attempts`;

const FIND = `
  select fingerprint, status, content_type, location, body from orders.idempotency_keys
  where key = $1 and expires_at > now()`;

const FINISH = `
  update orders.idempotency_keys
  set status = $3, content_type = $4, location = $5, body = $6, keeper = null, locked_until = null
  where key = $1 and attempts = $2 and status is null`;

const RELEASE = `
  update orders.idempotency_keys set keeper = null, locked_until = null
  where key = $1 and attempts = $2 and status is null`;

const CLEAN = `
  delete from orders.idempotency_keys where key in (
    select key from orders.idempotency_keys where expires_at <= now() order by expires_at
    limit $1 for update skip locked
  )`;

/** A key can go out of retention between the two statements of `take`. */
const TRIES = 3;

export function postgresIdempotencyKeys(pool: pg.Pool): IdempotencyKeys {
  const query = (name: string, text: string, values: unknown[]) =>
    reached(() => pool.query({ name, text, values }));
  return {
    async take(request) {
      const { key, fingerprint, orderId, instance, lockSeconds, retentionSeconds } = request;
      const values = [key, fingerprint, orderId, instance, lockSeconds, retentionSeconds];
      for (let tries = 0; tries < TRIES; tries += 1) {
        const [taken] = (await query("take-key", TAKE, values)).rows;
        if (taken) return { outcome: "taken", orderId: taken.order_id, attempt: taken.attempts };
        const [found] = (await query("find-key", FIND, [key])).rows;
        if (found) return standing(found, fingerprint);
      }
      throw new DependencyUnavailable("The idempotency key could not be taken; try again.");
    },
    async finish(key, attempt, { status, contentType, location, body }) {
      await query("finish-key", FINISH, [key, attempt, status, contentType, location, body]);
    },
    async release(key, attempt) {
      await query("release-key", RELEASE, [key, attempt]);
    },
    async clean(limit) {
      return (await query("clean-keys", CLEAN, [limit])).rowCount ?? 0;
    },
  };
}

interface Row {
  readonly fingerprint: string;
  readonly status: number | null;
  readonly content_type: string;
  readonly location: string | null;
  readonly body: string;
}

function standing(row: Row, fingerprint: string): Taken {
  if (row.fingerprint !== fingerprint) return { outcome: "other" };
  if (row.status === null) return { outcome: "running" };
  const { status, content_type, location, body } = row;
  return {
    outcome: "finished",
    answer: { status, contentType: content_type, location: location ?? undefined, body },
  };
}

interface Entry {
  fingerprint: string;
  orderId: string;
  attempts: number;
  running: { readonly instance: string; readonly until: number } | undefined;
  answer: KeptAnswer | undefined;
  expiresAt: number;
}

export class MemoryIdempotencyKeys implements IdempotencyKeys {
  readonly #entries = new Map<string, Entry>();
  readonly #isAlive: (instance: string) => boolean;
  /** While true, every call fails as it does when the database is out. */
  out = false;

  constructor(isAlive: (instance: string) => boolean = () => true) {
    this.#isAlive = isAlive;
  }

  async take(request: KeyedRequest): Promise<Taken> {
    this.#requireUp();
    const now = performance.now();
    const found = this.#entries.get(request.key);
    const entry = found && found.expiresAt > now ? found : undefined;
    if (entry && entry.fingerprint !== request.fingerprint) return { outcome: "other" };
    if (entry?.answer) return { outcome: "finished", answer: entry.answer };
    if (entry?.running && entry.running.until > now && this.#isAlive(entry.running.instance)) {
      return { outcome: "running" };
    }
    const taken: Entry = {
      fingerprint: request.fingerprint,
      orderId: entry?.orderId ?? request.orderId,
      attempts: (found?.attempts ?? 0) + 1,
      running: { instance: request.instance, until: now + request.lockSeconds * 1000 },
      answer: undefined,
      expiresAt: now + request.retentionSeconds * 1000,
    };
    this.#entries.set(request.key, taken);
    return { outcome: "taken", orderId: taken.orderId, attempt: taken.attempts };
  }

  async finish(key: string, attempt: number, answer: KeptAnswer): Promise<void> {
    const entry = this.#running(key, attempt);
    if (entry) Object.assign(entry, { answer, running: undefined });
  }

  async release(key: string, attempt: number): Promise<void> {
    const entry = this.#running(key, attempt);
    if (entry) entry.running = undefined;
  }

  async clean(limit: number): Promise<number> {
    this.#requireUp();
    const now = performance.now();
    const expired = [...this.#entries].filter(([, { expiresAt }]) => expiresAt <= now).slice(0, limit);
    for (const [key] of expired) this.#entries.delete(key);
    return expired.length;
  }

  #running(key: string, attempt: number): Entry | undefined {
    this.#requireUp();
    const entry = this.#entries.get(key);
    return entry?.attempts === attempt && !entry.answer ? entry : undefined;
  }

  #requireUp(): void {
    if (this.out) throw new DependencyUnavailable("The in-memory store is out");
  }
}
