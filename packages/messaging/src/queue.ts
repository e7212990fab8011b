/** The little that a leasing consumer needs of a queue; SQS and its in-memory twin implement it. */

export interface ReceivedMessage {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly receiveCount: number;
  /** Names this delivery of the message, not the message. */
  readonly receipt: string;
}

export interface LeasedQueue {
  /** Seconds a received message stays hidden. */
  readonly visibilitySeconds: number;
  /** Up to `max` (1 to 10) messages, waiting for the first one (long poll). An abort ends the wait. */
  receive(max: number, signal: AbortSignal): Promise<ReceivedMessage[]>;
  /** Acknowledges for good. Resolves to the receipts that were not, where it is known with the reason of each. */
  remove(receipts: readonly string[]): Promise<readonly string[] | ReadonlyMap<string, unknown>>;
  /**
   * Hides the messages for `seconds` from now; 0 hands them back. Resolves to the receipts that were refused:
   * their leases are lost.
   */
  hide(receipts: readonly string[], seconds: number): Promise<string[]>;
  /**
   * Decides on a message whose handler failed. Without it, RetryLater and PermanentFailure hide it for so long, and anything
   * else leaves it until its visibility timeout ends.
   */
  fail?(message: ReceivedMessage, error: unknown): Promise<void>;
  /** Polls that make sense side by side; as many as the workers need, if not given. */
  readonly mostPollers?: number;
  /** Called when the consumer has stopped. */
  close?(): Promise<void>;
}

/** SQS takes ten entries a batch call. */
export const BATCH = 10;

/** Receives until nothing is left or `limit` is reached, then hands everything back. */
export async function peek(queue: LeasedQueue, limit: number): Promise<ReceivedMessage[]> {
  const seen: ReceivedMessage[] = [];
  const signal = new AbortController().signal;
  try {
    while (seen.length < limit) {
      const received = await queue.receive(Math.min(BATCH, limit - seen.length), signal);
      if (received.length === 0) break;
      seen.push(...received);
    }
  } finally {
    for (let at = 0; at < seen.length; at += BATCH) {
      const receipts = seen.slice(at, at + BATCH).map(({ receipt }) => receipt);
      await queue.hide(receipts, 0).catch(() => {});
    }
  }
  return seen;
}
