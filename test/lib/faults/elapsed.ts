/** An outage is nothing but time that passes. */

import { setTimeout as pause } from "node:timers/promises";

export async function elapsed(milliseconds: number): Promise<void> {
  await pause(milliseconds);
}
