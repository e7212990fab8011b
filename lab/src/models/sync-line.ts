/**
 * The line before a payment provider that takes one payment at a time, as synchronous orders meet it: customers in a
 * closed loop, each of whom waits for an answer until a time-out and then orders again at once. It explains the published
 * collapse of synchronous orders. Deterministic: customers order in turn, all at 0 for the first time.
 *
 * An order stays in the line when its customer hangs up, as in the study (SYNC_ABANDON=keep). To take it out would change
 * none of these figures: the line is worked off in the order of arrival, so whoever reaches its head next has waited nearly
 * as long as a customer waits, and hangs up during the payment.
 */

export interface SyncLineParameters {
  /** Customers, each with one order at a time. */
  readonly users: number;
  /** How long the one line is taken by a payment. */
  readonly paymentSeconds: number;
  /** After which a customer hangs up. An answer at that very moment is too late. */
  readonly timeoutSeconds: number;
  /** Length of the run; what is not finished then is not counted. An end at that very moment is not either. */
  readonly seconds: number;
}

export interface SyncLineFigures {
  /** succeeded + failed. */
  readonly finished: number;
  readonly succeeded: number;
  /** Given up after the time-out. */
  readonly failed: number;
  /** Paid after their customer had hung up. */
  readonly chargedAfterHangUp: number;
  /** Of all that finished, answers and time-outs alike, as load generators report it. Milliseconds. */
  readonly meanMs: number;
  readonly medianMs: number;
}

export function simulateSyncLine(parameters: SyncLineParameters): SyncLineFigures {
  const { users, paymentSeconds, timeoutSeconds, seconds } = parameters;
  /** When each order came, in the order of the line. */
  const line: number[] = Array.from({ length: users }, () => 0);
  const waits: number[] = [];
  let succeeded = 0;
  let chargedAfterHangUp = 0;
  let free = 0;
  for (let next = 0; next < line.length; next += 1) {
    const came = line[next] as number;
    const hungUp = came + timeoutSeconds;
    const paid = Math.max(free, came) + paymentSeconds;
    free = paid;
    const answered = before(paid, hungUp);
    const finished = answered ? paid : hungUp;
    if (!answered && before(paid, seconds)) chargedAfterHangUp += 1;
    if (!before(finished, seconds)) continue;
    waits.push(finished - came);
    if (answered) succeeded += 1;
    insertInOrder(line, finished, next + 1);
  }
  waits.sort((a, b) => a - b);
  const total = waits.reduce((sum, wait) => sum + wait, 0);
  return {
    finished: waits.length,
    succeeded,
    failed: waits.length - succeeded,
    chargedAfterHangUp,
    meanMs: waits.length === 0 ? 0 : (1000 * total) / waits.length,
    medianMs: 1000 * (waits[waits.length >> 1] ?? 0),
  };
}

/** Earlier, and not only by the last digits of a sum. */
function before(time: number, other: number): boolean {
  return time < other - 1e-9;
}

/** An order comes behind all that have come before or at the same time; never before `from`. */
function insertInOrder(line: number[], came: number, from: number): void {
  let at = line.length;
  while (at > from && (line[at - 1] as number) > came) at -= 1;
  line.splice(at, 0, came);
}
