/**
 * How many workers an arrival rate needs: to keep up, or so that no order waits longer, or the queue drains faster, than
 * is wanted. By the exact model of even arrivals (queue.ts), in which more workers never make an order later.
 */
import { effectiveWorkers, evenQueue, type QueueParameters } from "./queue.ts";

export interface WorkersNeeded {
  /** The least number of workers; undefined when no number is enough. */
  readonly workers: number | undefined;
  /** Why none is enough. */
  readonly reason?: string;
}

type Demand = Omit<QueueParameters, "workers">;

/** To keep up for ever: ⌈λ·s⌉. */
export function workersToKeepUp(demand: Demand): WorkersNeeded {
  const workers = keepingUp(demand);
  return withinLines(demand, workers);
}

/** So that no order waits longer than `seconds` before its service begins. */
export function workersForWait(demand: Demand, seconds: number): WorkersNeeded {
  return least(demand, (workers) => evenQueue({ ...demand, workers }).maxWaitSeconds <= seconds + 1e-9);
}

/** So that all is done `seconds` after the last arrivals. */
export function workersForDrain(demand: Demand, seconds: number): WorkersNeeded {
  return least(demand, (workers) => evenQueue({ ...demand, workers }).drainSeconds <= seconds + 1e-9);
}

/** The least count from 1 to those that keep up for which it is true; from there on nothing gets better. */
function least(demand: Demand, enough: (workers: number) => boolean): WorkersNeeded {
  const unlimited: Demand = { ...demand, paymentLines: 0 };
  const most = keepingUp(unlimited);
  const { paymentLines = 0 } = demand;
  const reachable = effectiveWorkers({ ...demand, workers: most });
  if (!enough(reachable)) {
    return paymentLines > 0 && paymentLines < most
      ? { workers: undefined, reason: `the provider takes no more than ${paymentLines} at a time` }
      : { workers: undefined, reason: `one order alone takes ${demand.serviceSeconds} s` };
  }
  let low = 1;
  let high = reachable;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (enough(middle)) high = middle;
    else low = middle + 1;
  }
  return { workers: low };
}

function keepingUp({ arrivalsPerSecond, serviceSeconds }: Demand): number {
  // 0.1 × 30 is 3.0000000000000004 in floating point, and needs 3 workers.
  return Math.max(1, Math.ceil(arrivalsPerSecond * serviceSeconds - 1e-9));
}

function withinLines({ paymentLines = 0 }: Demand, workers: number): WorkersNeeded {
  if (paymentLines === 0 || workers <= paymentLines) return { workers };
  return { workers: undefined, reason: `the provider takes no more than ${paymentLines} at a time` };
}
