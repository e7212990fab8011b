/**
 * Sending a bid until its outcome is known. The same bid_id goes out each time, so that it has one effect however often it is sent.
 *
 * @typedef {{ bid_id: string, bidder_id: string, amount: number }} Bid
 * @typedef {(
 *   | { kind: "accepted", seq: number, amount: number }
 *   | { kind: "low", seq: number, highest: number | null, least: number }
 *   | { kind: "ended" }
 *   | { kind: "missing" }
 *   | { kind: "wrong", errors: { field: string, detail: string }[] }
 *   | { kind: "failed", detail: string }
 *   | { kind: "unreachable" }
 *   | { kind: "unknown" }
 * )} Outcome `unreachable`: it was not placed; `unknown`: it may have been.
 */

const MOST_ATTEMPTS = 6;
/** Longer than the server takes to give up. */
const ANSWER_MS = 12_000;
/** As long as a person waits and hears nothing. */
const SLOW_MS = 3000;
const PAUSE_MS = { first: 500, most: 8000 };

/**
 * @param {string} auctionId
 * @param {Bid} bid
 * @param {object} options
 * @param {() => void} options.onSlow the first attempt has no answer yet, and goes on
 * @param {(attempt: number, of: number) => void} options.onAgain
 * @param {typeof fetch} [options.fetch]
 * @param {(ms: number) => Promise<void>} [options.pause]
 * @param {number} [options.slowMs]
 * @returns {Promise<Outcome>}
 */
export async function placeBid(auctionId, bid, { onSlow, slowMs = SLOW_MS, ...options }) {
  const slow = setTimeout(onSlow, slowMs);
  const onAgain = (...attempts) => {
    clearTimeout(slow);
    options.onAgain(...attempts);
  };
  try {
    return await insist(auctionId, bid, { ...options, onAgain });
  } finally {
    clearTimeout(slow);
  }
}

async function insist(auctionId, bid, { onAgain, fetch = globalThis.fetch, pause = wait }) {
  let mayHaveArrived = false;
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    let retryAfter = 0;
    try {
      const answer = await fetch(`/auctions/${auctionId}/bids`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json" },
        body: JSON.stringify(bid),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const body = await answer.json();
      const outcome = outcomeOf(answer.status, body);
      if (outcome) return outcome;
      retryAfter = Number(answer.headers.get("retry-after")) * 1000 || 0;
      mayHaveArrived ||= body.outcome === "unknown";
    } catch {
      // No answer, or half of one.
      mayHaveArrived = true;
    }
    if (attempt === MOST_ATTEMPTS) break;
    onAgain(attempt + 1, MOST_ATTEMPTS);
    const pauseMs = PAUSE_MS.first * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
    await pause(Math.min(PAUSE_MS.most, Math.max(retryAfter, pauseMs)));
  }
  return { kind: mayHaveArrived ? "unknown" : "unreachable" };
}

/**
 * Undefined when it is to be sent again.
 * @returns {Outcome | undefined}
 */
function outcomeOf(status, body) {
  switch (status) {
    case 201:
      return { kind: "accepted", seq: body.seq, amount: body.amount };
    case 409:
      return { kind: "low", seq: body.seq, highest: body.highest, least: body.least };
    case 410:
      return { kind: "ended" };
    case 404:
      return { kind: "missing" };
    case 422:
      return { kind: "wrong", errors: body.errors ?? [] };
    default:
      if (status >= 500 || status === 408 || status === 429) return undefined;
      return { kind: "failed", detail: body.detail ?? `The server answered ${status}.` };
  }
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
