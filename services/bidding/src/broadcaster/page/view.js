/** What is to be seen, and heard, on an auction's page. */

import { amount, day, isFar, moment, timeLeft } from "./format.js";

/** A screen reader is told the price no more often. */
const HEARD_MS = 3000;

const MINE = {
  none: "You have not bid",
  lead: "You lead",
  outbid: "You are outbid",
  won: "You won",
  lost: "You did not win",
};
/** How each looks. */
const LOOKS = { won: "lead", lost: "outbid" };

export const part = (id) => document.getElementById(id);

export function setText(id, text) {
  const element = part(id);
  if (element.textContent !== text) element.textContent = text;
}

/** How it stands, for everybody and for the person here. @param {string} state of `Auction.stateOf` */
export function showStanding({ standing, left }, state) {
  const { item, status, seq, highest, bidder_id, min_increment, starting_price } = standing;
  const ended = status === "ended";
  setText("item", item);
  document.title = `${highest === null ? "" : `${amount(highest)} · `}${item} · Parallax`;
  setText("price-label", priceLabel(standing));
  showPrice(amount(highest ?? starting_price));
  setText("leader", leaderText(standing));
  part("leader").title = bidder_id ?? "";
  setText("mine", MINE[state]);
  part("mine").dataset.state = LOOKS[state] ?? state;
  // What was said of a bid must not stay when it is true no longer.
  if (state === "outbid" && part("outcome").dataset.kind === "good") {
    say("bad", "You have been outbid.");
  }
  setText("bids", amount(seq));
  setText("step", amount(min_increment));
  setText("left-label", ended ? "Ended" : isFar(left) ? "Ends" : "Time left");
  setText("left", leftText(standing, left));
  hear(
    `${priceLabel(standing)} ${amount(highest ?? starting_price)}, ${leaderText(standing)}. ${state === "none" ? "" : MINE[state]}`,
  );
}

/** In place of an auction that is not there. */
export function showNone() {
  setText("item", "Unknown auction");
  document.title = "Unknown auction · Parallax";
  part("standing").hidden = true;
}

function leftText({ ends_at, status }, left) {
  if (status === "ended") return moment(ends_at);
  if (isFar(left)) return day(ends_at);
  return left === 0 ? "Ending…" : timeLeft(left);
}

function showPrice(text) {
  const price = part("price");
  const before = price.textContent;
  if (before === text) return;
  setText("price", text);
  price.style.setProperty("--digits", String(Math.max(5, text.length)));
  if (before === "–") return;
  price.classList.remove("changed");
  // Asked, so that the animation begins anew.
  void price.offsetWidth;
  price.classList.add("changed");
}

function priceLabel({ highest, status }) {
  if (status === "ended") return highest === null ? "Not sold; started at" : "Sold for";
  return highest === null ? "No bids yet; starts at" : "Highest bid";
}

function leaderText({ bidder_id, seq, status }) {
  if (seq === 0) return status === "ended" ? "Nobody bid" : "Be the first to bid";
  return `by ${bidder_id ?? "another bidder"}`;
}

let heardAt = Number.NEGATIVE_INFINITY;
let toHear = "";
let hearing;

/** Tells a screen reader, now and then, the latest of what is to be seen. */
function hear(text) {
  toHear = text;
  if (hearing !== undefined || text === part("heard").textContent) return;
  hearing = setTimeout(
    () => {
      hearing = undefined;
      heardAt = performance.now();
      setText("heard", toHear);
    },
    Math.max(0, heardAt + HEARD_MS - performance.now()),
  );
}

/** The outcome of a bid. @param {"good" | "bad" | "wait" | "none"} kind */
export function say(kind, text) {
  part("outcome").dataset.kind = kind;
  setText("outcome", text);
}

/** Beside a field what is wrong with it; nothing, when it is right. */
export function complain(id, text) {
  setText(`${id}-error`, text);
  if (text === "") part(id).removeAttribute("aria-invalid");
  else part(id).setAttribute("aria-invalid", "true");
}

/** What is about the whole page. */
export function notice(text) {
  part("notice").hidden = false;
  setText("notice", text);
}

/** Nobody can bid any more. */
export function hideForm() {
  const form = part("form");
  if (form.hidden) return;
  // Who was in it is not left nowhere.
  if (form.contains(document.activeElement)) part("item").focus();
  form.hidden = true;
}

/** @param {"live" | "lost" | "off"} state */
export function setLive(state, text) {
  part("link").dataset.state = state;
  setText("link", text);
  document.body.classList.toggle("stale", state === "lost");
}
