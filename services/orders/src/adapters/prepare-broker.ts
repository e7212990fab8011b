/** Services and brokers start in any order: make the topology as soon as the broker answers. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Broker } from "@parallax/messaging";
import type { Logger } from "@parallax/service";

const RETRY_MS = 500;

/** Tries until it succeeds or is stopped. Not being ready meanwhile is told by the readiness check. */
export function prepareInBackground(broker: Broker, logger: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const done = (async () => {
    for (let attempt = 1; !stopping.signal.aborted; attempt += 1) {
      try {
        await broker.prepare();
        return;
      } catch (error) {
        if (attempt === 1) logger.warn({ err: error }, "the broker is not ready yet; trying on");
        await sleep(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}
