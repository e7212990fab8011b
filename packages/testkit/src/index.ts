/** Helpers that tests share. */

export { silentLogger } from "./logger.ts";
export { waitFor } from "./wait-for.ts";
