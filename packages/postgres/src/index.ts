/** What services share of Postgres. Everything not listed here is private to the package. */

export {
  type DatabaseOptions,
  type DatabaseUse,
  type Migration,
  migrate,
  openDatabase,
  openPool,
  reached,
} from "./database.ts";
export { traceQueries } from "./traced-queries.ts";
