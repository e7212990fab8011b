/** The load of a crowd that bids without a pause: a closed loop, in which each user waits for one answer and then bids again. */

import type { LoadStep } from "../experiment.ts";

export interface BidLoad {
  readonly users: number;
  /** Of the measured step, in which users may still be coming. */
  readonly seconds: number;
  /** After which a bidder hangs up. */
  readonly timeoutSeconds: number;
  /** Users who come a second; all at once by default. */
  readonly spawnPerSecond?: number;
}

const WARM_UP_USERS = 20;
const WARM_UP_SECONDS = 3;

/** A gateway that has just been started is slow, as its code is not compiled yet: before the load, a few warm it up. */
export function bidLoad({ users, seconds, timeoutSeconds, spawnPerSecond }: BidLoad): LoadStep[] {
  return [
    {
      name: "warm-up",
      kind: "warm-up",
      arrivals: { model: "closed", users: Math.min(users, WARM_UP_USERS), think_seconds: 0 },
      seconds: WARM_UP_SECONDS,
      timeout_seconds: timeoutSeconds,
    },
    {
      name: "load",
      kind: "measured",
      arrivals: {
        model: "closed",
        users,
        think_seconds: 0,
        ...(spawnPerSecond !== undefined && { spawn_per_second: spawnPerSecond }),
      },
      seconds,
      timeout_seconds: timeoutSeconds,
    },
  ];
}
