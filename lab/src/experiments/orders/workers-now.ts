/** How many workers the processor has now, by its own metrics: with scaling by backlog it changes while a run goes on. */

import { request } from "undici";
import type { Runtime } from "../../runtimes/runtime.ts";

const TIMEOUT_MS = 800;

/** Undefined while the processor does not answer, as during its restart, and where there is none. */
export async function workersNow(runtime: Pick<Runtime, "endpoint">): Promise<number | undefined> {
  try {
    const { body } = await request(`${runtime.endpoint("orders-processor")}/metrics`, {
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
    const told = /^orders_workers(?:\{.*\})? (\d+)/m.exec(await body.text())?.[1];
    return told === undefined ? undefined : Number(told);
  } catch {
    return undefined;
  }
}
