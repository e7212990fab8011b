/** Sleeps between requests, which its load does not say. */

import { sleep } from "k6";
import get, { handleSummary, options } from "./get.ts";

export { handleSummary, options };

export default function getAndSleep(): void {
  get();
  sleep(0.1);
}
