/** The page of all auctions: newest first, looked at again every few seconds while somebody sees it. */

import { amount, day, isFar, timeLeft } from "./format.js";

const AGAIN_MS = 5000;
const ANSWER_MS = 12_000;
const PAGE = 50;
/** What the gateway gives at once. */
const MOST = 1000;

const list = document.getElementById("auctions");
const empty = document.getElementById("empty");
const more = document.getElementById("more");
const link = document.getElementById("link");

/** By id: its element, and what changes in it. */
const cards = new Map();
let wanted = PAGE;
/** Milliseconds to add to this machine's clock for the server's. */
let ahead = 0;
let timer;

async function look() {
  clearTimeout(timer);
  try {
    const answer = await fetch(`/auctions?limit=${wanted}`, {
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const { auctions, next_cursor } = await answer.json();
    const date = Date.parse(answer.headers.get("date") ?? "");
    if (date) ahead = date - Date.now();
    show(auctions);
    empty.hidden = auctions.length > 0;
    more.hidden = next_cursor === null || wanted >= MOST;
    say("live", "Up to date");
  } catch {
    say("lost", "Cannot be reached – trying again");
  }
  timer = setTimeout(() => (document.hidden ? undefined : look()), AGAIN_MS);
}

function show(auctions) {
  for (const [at, auction] of auctions.entries()) {
    const card = cards.get(auction.auction_id) ?? newCard(auction);
    card.auction = auction;
    // Moved only when it has to be: moving an element takes the focus from it.
    if (list.children[at] !== card.element) list.insertBefore(card.element, list.children[at] ?? null);
    fill(card);
  }
  const shown = new Set(auctions.map(({ auction_id }) => auction_id));
  for (const [id, { element }] of cards) {
    // Gone, or pushed off the page by newer ones: nothing more is heard of it.
    if (shown.has(id)) continue;
    element.remove();
    cards.delete(id);
  }
}

function newCard({ auction_id, item }) {
  const element = document.createElement("li");
  const anchor = element.appendChild(document.createElement("a"));
  anchor.className = "panel card";
  anchor.href = `/auctions/${auction_id}`;
  const [name, price, state] = ["item", "amount", "state"].map((className) => {
    const part = anchor.appendChild(document.createElement("span"));
    part.className = className;
    return part;
  });
  name.textContent = item;
  name.dir = "auto";
  const card = { element, price, state, auction: undefined };
  cards.set(auction_id, card);
  return card;
}

function fill({ auction, price, state }) {
  const { highest, starting_price, status, seq, ends_at, bidder_id } = auction;
  const shown = highest === null ? `from ${amount(starting_price)}` : amount(highest);
  setText(price, shown);
  price.style.setProperty("--digits", String(shown.length));
  const bids = `${amount(seq)} ${seq === 1 ? "bid" : "bids"}`;
  if (status === "ended") setText(state, bidder_id === null ? "Ended without a bid" : `Sold to ${bidder_id}`);
  else {
    const left = Date.parse(ends_at) - Date.now() - ahead;
    setText(state, `${isFar(left) ? `Ends ${day(ends_at)}` : `${timeLeft(left)} left`} · ${bids}`);
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function say(state, text) {
  link.dataset.state = state;
  setText(link, text);
}

more.addEventListener("click", () => {
  wanted = Math.min(MOST, wanted * 2);
  look();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) look();
});
setInterval(() => {
  for (const card of cards.values()) fill(card);
}, 1000);
look();
