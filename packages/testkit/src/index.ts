/** Helpers that tests share. */

export { startEmulator, type TestEmulator } from "./emulator.ts";
export { silentLogger } from "./logger.ts";
export { waitFor } from "./wait-for.ts";
