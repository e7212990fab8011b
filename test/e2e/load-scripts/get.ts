/** Gets the same page, and has no more patience than half a second. */

import http from "k6/http";
import type { Options } from "k6/options";
import { record, timed } from "../../../loadtests/lib/answers.ts";
import { environment } from "../../../loadtests/lib/environment.ts";
import { plannedLoad, scenariosOf, think } from "../../../loadtests/lib/load.ts";

export { setup } from "../../../loadtests/lib/load.ts";
export { handleSummary } from "../../../loadtests/lib/summary.ts";

const { baseUrl } = environment();
const PATIENCE_SECONDS = 0.5;
const steps = plannedLoad([]);

export const options: Options = scenariosOf(steps, PATIENCE_SECONDS);

export default function get(): void {
  record(
    "get",
    "page",
    timed(() => http.get(`${baseUrl}/`, { timeout: "30s" })),
  );
  think(steps);
}
