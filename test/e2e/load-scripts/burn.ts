/** Burns processor time of the load generator between requests. */

import get, { handleSummary, options, setup } from "./get.ts";

export { handleSummary, options, setup };

export default function getAndBurn(): void {
  get();
  const until = Date.now() + 100;
  while (Date.now() < until);
}
