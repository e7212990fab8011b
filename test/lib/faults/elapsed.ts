/** An outage is nothing but time that passes. */

import { waitFor } from "@parallax/testkit";

export async function elapsed(milliseconds: number): Promise<void> {
  const began = performance.now();
  await waitFor("the time to pass", () => performance.now() - began > milliseconds, milliseconds * 2);
}
