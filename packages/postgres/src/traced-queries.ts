/**
 * The spans of a pool's queries, by OpenTelemetry's conventions for databases
 * (https://opentelemetry.io/docs/specs/semconv/db/database-spans/). Only of those made inside a traced piece of work:
 * readiness checks and housekeeping begin no traces.
 *
 * The span that a query belongs to is the active one. The stores' methods carry no trace, and should not: it would be an
 * argument of each of them for which neither the domain nor the in-memory twins have a use.
 */

import { inSpan, type Tracing } from "@parallax/service";
import type pg from "pg";

type Query = (
  query: string | { readonly name?: string; readonly text: string },
  ...rest: unknown[]
) => unknown;

/** From now on, for queries that are awaited. @param url of the database; nothing of its credentials is told */
export function traceQueries(pool: pg.Pool, tracing: Tracing, url: string): void {
  const { hostname, port, pathname } = new URL(url);
  const database = {
    "db.system.name": "postgresql",
    "db.namespace": decodeURIComponent(pathname.slice(1)),
    "server.address": hostname,
    "server.port": Number(port) || 5432,
  };
  const untraced = pool.query.bind(pool) as Query;
  const traced: Query = (query, ...rest) => {
    const { active } = tracing;
    if (!active) return untraced(query, ...rest);
    const { name, text } = typeof query === "string" ? { text: query } : query;
    // Ours have names. Of others, the first word is all that surely holds no value.
    const summary = name ?? text.trim().split(/\s/, 1)[0] ?? "query";
    return inSpan(
      tracing,
      {
        name: summary,
        kind: "client",
        parent: active.context,
        attributes: { ...database, "db.query.summary": summary, "db.query.text": text.trim() },
      },
      async () => await untraced(query, ...rest),
    );
  };
  pool.query = traced as typeof pool.query;
}
