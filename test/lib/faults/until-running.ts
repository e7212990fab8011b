/** What was killed is started again; a story that kills it once more, or the one after it, waits for that. */

import { waitFor } from "@parallax/testkit";
import type { Runtime } from "../../../lab/src/runtimes/runtime.ts";

/** Resolves once each part of the lab runs and answers. */
export async function untilRunning(runtime: Pick<Runtime, "status">): Promise<void> {
  await waitFor("the whole lab to run", async () => (await runtime.status()).state === "running", 30_000);
}
