/** The receivers' leases in Postgres, by its clock alone. */

import { reached } from "@parallax/postgres";
import type pg from "pg";
import type { Leases } from "../domain/ports.ts";

const RENEW = `
  insert into orders.receivers (instance, alive_until) values ($1, now() + make_interval(secs => $2))
  on conflict (instance) do update set alive_until = excluded.alive_until`;

// Those of receivers that were killed go along.
const END = "delete from orders.receivers where instance = $1 or alive_until < now() - interval '1 day'";

export function postgresLeases(pool: pg.Pool): Leases {
  return {
    async renew(instance, seconds) {
      await reached(() => pool.query({ name: "renew-lease", text: RENEW, values: [instance, seconds] }));
    },
    async end(instance) {
      await reached(() => pool.query({ name: "end-lease", text: END, values: [instance] }));
    },
  };
}
