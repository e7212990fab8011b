/**
 * What the page knows of its auction, put together from the WebSocket's messages and from answers to bids.
 *
 * @typedef {object} Standing
 * @property {string} item
 * @property {"open" | "ended"} status
 * @property {number} starting_price
 * @property {number} min_increment
 * @property {string} ends_at
 * @property {number} seq
 * @property {number | null} highest
 * @property {string | null | undefined} bidder_id undefined: somebody, not known who
 */

export class Auction {
  /** @type {Standing | undefined} */
  standing;
  /** Of the server's clock when this page was opened, in milliseconds since the epoch. */
  #clock = Number.NEGATIVE_INFINITY;

  /** Another auction's shape of JSON, a snapshot or the answer to GET /auctions/{id}, says all there is. */
  replace({ item, status, starting_price, min_increment, ends_at, seq, highest, bidder_id }) {
    this.standing = { item, status, starting_price, min_increment, ends_at, seq, highest, bidder_id };
  }

  /** Later messages, and answers, say how it stands now; older ones change nothing. */
  update({ type, seq, highest, bidder_id }) {
    const { standing } = this;
    if (!standing || !(seq >= standing.seq)) return;
    const known = seq === standing.seq ? standing.bidder_id : undefined;
    const status = type === "ended" ? "ended" : standing.status;
    this.standing = { ...standing, status, seq, highest, bidder_id: bidder_id ?? known };
  }

  end() {
    if (this.standing) this.standing = { ...this.standing, status: "ended" };
  }

  /** The server's clock was at `at`, or later. @param {string | undefined} at */
  hear(at) {
    const then = Date.parse(at ?? "");
    // Messages arrive late, never early: the furthest that one says is the nearest to the truth.
    if (then) this.#clock = Math.max(this.#clock, then - performance.now());
  }

  /** Milliseconds, as far as the server's clock is known. */
  get left() {
    if (!this.standing) return undefined;
    const now = Number.isFinite(this.#clock) ? this.#clock + performance.now() : Date.now();
    return Math.max(0, Date.parse(this.standing.ends_at) - now);
  }

  /** The lowest amount that would be accepted. */
  get least() {
    if (!this.standing) return undefined;
    const { highest, min_increment, starting_price } = this.standing;
    return highest === null ? starting_price : highest + min_increment;
  }

  /** How `name` stands, who has bid or not. */
  stateOf(name, hasBid) {
    if (!this.standing) return "none";
    const { bidder_id, status } = this.standing;
    if (name !== "" && bidder_id === name) return status === "ended" ? "won" : "lead";
    if (!hasBid) return "none";
    return status === "ended" ? "lost" : "outbid";
  }
}
