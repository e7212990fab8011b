/** An exact queue as a run would have recorded it: arrivals at even distances, payments that all take equally long. */
import type { OrderTime } from "../../../src/experiments/orders/order-times.ts";
import type { QueueParameters } from "../../../src/models/queue.ts";

/** What orders would be told and paid by an exact queue. */
export function exactly({
  arrivalsPerSecond,
  arrivalSeconds,
  serviceSeconds,
  workers,
}: QueueParameters): OrderTime[] {
  const free = Array.from({ length: workers }, () => 0);
  return Array.from({ length: Math.ceil(arrivalsPerSecond * arrivalSeconds - 1e-9) }, (_, index) => {
    const accepted = index / arrivalsPerSecond;
    const start = Math.max(accepted, Math.min(...free));
    free[free.indexOf(Math.min(...free))] = start + serviceSeconds;
    return { accepted, paid: start + serviceSeconds };
  });
}
