/**
 * How long prices were on their way: from the moment at which the bid took effect, by Redis's clock, to its arrival at a watcher, by this
 * machine's, in whole milliseconds. Both are one clock where both run here. Kept by second of arrival, so that the time of interest can be
 * chosen afterwards.
 */

import { build, type Histogram } from "hdr-histogram-js";

const LONGEST_MICROS = 60_000_000;
/** A quarter of an hour; what comes later is not kept. */
const MOST_SECONDS = 900;

export function newDeliveries(): Histogram {
  return build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_MICROS,
    numberOfSignificantValueDigits: 3,
  });
}

export class Deliveries {
  readonly #seconds = new Map<number, Histogram>();

  /** @param arrived and `at` in milliseconds since the epoch */
  add(arrived: number, at: number): void {
    const second = Math.floor(arrived / 1000);
    let histogram = this.#seconds.get(second);
    if (!histogram) {
      if (this.#seconds.size === MOST_SECONDS) return;
      histogram = newDeliveries();
      this.#seconds.set(second, histogram);
    }
    // Within the same millisecond is half of one, on average.
    const micros = Math.round((arrived - at + 0.5) * 1000);
    histogram.recordValue(Math.min(Math.max(micros, 1), LONGEST_MICROS));
  }

  /** Of the whole seconds between these times, in milliseconds since the epoch. */
  between(from: number, to: number): Histogram {
    const sum = newDeliveries();
    for (const [second, histogram] of this.#seconds) {
      if (second * 1000 >= from && (second + 1) * 1000 <= to) sum.add(histogram);
    }
    return sum;
  }
}
