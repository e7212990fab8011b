/**
 * Whether the stream still has what it said that it keeps. It may have been made anew, or have lost its end with the power of
 * its machine; then all that is in the outbox has to be published again.
 */

import type { StreamState } from "../../domain/outbox.ts";

export class StreamWatch {
  #identity: string | undefined;
  #seen = 0;
  #kept = 0;

  /** The highest number of an event that is kept, as far as is known; to be asked for before the stream is looked at. */
  get mark(): number {
    return Math.max(this.#seen, this.#kept);
  }

  /**
   * @param mark of before it was asked: meanwhile others may have been kept, which it does not know of
   * @returns whether it has lost something
   */
  saw({ identity, lastSeq }: StreamState, mark: number): boolean {
    const lost = (this.#identity !== undefined && identity !== this.#identity) || lastSeq < mark;
    if (lost) this.#kept = 0;
    this.#identity = identity;
    this.#seen = lastSeq;
    return lost;
  }

  /** An event has been kept; they are told in their order. @returns whether its number shows that others were lost */
  kept({ seq, duplicate }: { readonly seq: number; readonly duplicate: boolean }): boolean {
    // One that was there already has the number that it had.
    if (duplicate) return false;
    const lost = seq <= this.#kept;
    if (lost) this.#seen = 0;
    this.#kept = seq;
    return lost;
  }
}
