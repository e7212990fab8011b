/** Sleeps between requests, which its load does not say. */

import { sleep } from "k6";
import get, { handleSummary, options, setup } from "./get.ts";

export { handleSummary, options, setup };

export default function getAndSleep(): void {
  get();
  sleep(0.1);
}
