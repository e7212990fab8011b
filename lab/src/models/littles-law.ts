/**
 * Little's law in a closed loop: users = rate × (latency + think time), latency being the mean. It holds for every system
 * whatever happens inside, so figures that break it were not measured together, or not on what they are said to be.
 * J. D. C. Little, "A Proof for the Queuing Formula: L = λW", Operations Research 9 (3), 1961.
 */

/** Deviation that is still taken for measuring error. */
export const littlesLawTolerance = 0.1;

export interface ClosedLoop {
  /** Users that each wait for an answer before the next request. */
  readonly users: number;
  /** Requests a second of all together. */
  readonly rate: number;
  /** Seconds between an answer and the next request of a user. */
  readonly thinkSeconds: number;
}

export interface LittlesLaw {
  /** Users that rate and latency imply. */
  readonly expected: number;
  /** |users − expected| / users. */
  readonly relativeError: number;
  /** Within 10 %. */
  readonly holds: boolean;
}

/** @param loop latencySeconds is the mean latency, in seconds */
export function littlesLaw(loop: ClosedLoop & { readonly latencySeconds: number }): LittlesLaw {
  const { users, rate, latencySeconds, thinkSeconds } = loop;
  const expected = rate * (latencySeconds + thinkSeconds);
  const relativeError = users === 0 ? (expected === 0 ? 0 : Infinity) : Math.abs(users - expected) / users;
  return { expected, relativeError, holds: relativeError <= littlesLawTolerance };
}

export interface PercentileCheck extends LittlesLaw {
  /** The mean latency that users and rate imply: users / rate − think time. Seconds. */
  readonly impliedMeanSeconds: number;
  /** The least and the highest mean that the percentiles allow. Seconds. */
  readonly leastMeanSeconds: number;
  readonly highestMeanSeconds: number;
}

/**
 * The same where no mean was published: a half of the answers took at most P50, the other half at least P50, and at most
 * P99 (the slowest 1 % counts as P99), so the mean lies between P50 / 2 and (P50 + P99) / 2. The law is held against the end of that range
 * which is nearer.
 */
export function littlesLawByPercentiles(
  loop: ClosedLoop & { readonly p50Seconds: number; readonly p99Seconds: number },
): PercentileCheck {
  const { users, rate, thinkSeconds, p50Seconds, p99Seconds } = loop;
  const impliedMeanSeconds = users / rate - thinkSeconds;
  const leastMeanSeconds = p50Seconds / 2;
  const highestMeanSeconds = (p50Seconds + p99Seconds) / 2;
  const latencySeconds = Math.min(Math.max(impliedMeanSeconds, leastMeanSeconds), highestMeanSeconds);
  return {
    ...littlesLaw({ users, rate, thinkSeconds, latencySeconds }),
    impliedMeanSeconds,
    leastMeanSeconds,
    highestMeanSeconds,
  };
}
