/** An auction's page: its price as it moves, and a form to bid. */

import { placeBid } from "./bid.js";
import { amount, parseAmount, uuid } from "./format.js";
import { watch } from "./live.js";
import { Auction } from "./standing.js";
import { complain, hideForm, notice, part, say, setLive, setText, showNone, showStanding } from "./view.js";

const auctionId = location.pathname.split("/")[2] ?? "";
const NAME_KEY = "parallax.bidder";
const BIDS_KEY = `parallax.bids.${auctionId}`;

const [form, nameField, amountField, submit, least] = ["form", "name", "amount", "submit", "least"].map(part);

const auction = new Auction();
/** Who bids here, as last sent. */
let me = remembered(NAME_KEY);
let hasBid = remembered(BIDS_KEY) !== "";
/** The amount that this page put into the field; while it is there, nobody has typed another. */
let offered = "";
let sending = false;
/** A bid whose outcome is not known: the same one is sent again. */
let pending;

function render() {
  const { standing } = auction;
  if (!standing) return;
  showStanding(auction, auction.stateOf(me, hasBid));
  if (standing.status === "ended") {
    hideForm();
    return;
  }
  least.disabled = !isPossible();
  setText("least-text", isPossible() ? `At least ${amount(auction.least)}` : "No higher bid is possible.");
  allow();
  // Not under somebody's finger: what is sent must be what was there when they decided. Nor while it is not known whether a bid was
  // accepted, which is asked by placing the same one again.
  const isAsking = sending || pending !== undefined;
  if (!isAsking && amountField.value === offered && !form.contains(document.activeElement)) offer();
}

/** Whether there is a higher bid that could be made, as far as is known. */
function isPossible() {
  return !(auction.least > Number.MAX_SAFE_INTEGER);
}

/** Lets bid, or not. The button keeps the focus, which `disabled` would take from it. */
function allow() {
  // A bid whose outcome is not known may be the one that leaves no higher one: it can be asked for.
  const mayBid = !sending && (isPossible() || pending !== undefined);
  submit.setAttribute("aria-disabled", String(!mayBid));
  return mayBid;
}

/** Puts the least into the field. */
function offer() {
  offered = auction.least !== undefined && isPossible() ? String(auction.least) : "";
  amountField.value = offered;
}

// Bidding.

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!allow()) return;
  const bidder_id = nameField.value.trim();
  const value = parseAmount(amountField.value);
  complain("name", bidder_id === "" ? "Enter your name." : "");
  complain("amount", value === undefined ? "Enter a whole number, such as 1250." : "");
  if (bidder_id === "" || value === undefined) {
    (bidder_id === "" ? nameField : amountField).focus();
    say("none", "");
    return;
  }
  me = bidder_id;
  remember(NAME_KEY, me);
  const isSame = pending?.bidder_id === bidder_id && pending?.amount === value;
  const bid = isSame ? pending : { bid_id: uuid(), bidder_id, amount: value };
  setSending(true);
  say("wait", `Sending your bid of ${amount(value)}…`);
  part("outcome").scrollIntoView({ block: "nearest" });
  const outcome = await placeBid(auctionId, bid, {
    onSlow: () => say("wait", `No answer to your bid of ${amount(value)} yet; still asking.`),
    onAgain: (attempt, of) => {
      say(
        "wait",
        `No answer to your bid of ${amount(value)} yet. Asking again (${attempt} of ${of}); it counts once.`,
      );
    },
  });
  pending = outcome.kind === "unknown" ? bid : undefined;
  setSending(false);
  tell(outcome, bid);
  render();
  part("outcome").scrollIntoView({ block: "nearest" });
});

/** What came of it, and what may be done. */
function tell(outcome, bid) {
  const bidText = amount(bid.amount);
  switch (outcome.kind) {
    case "accepted":
      hasBid = true;
      remember(BIDS_KEY, bidText);
      auction.update({ seq: outcome.seq, highest: bid.amount, bidder_id: bid.bidder_id });
      if (auction.stateOf(me, hasBid) === "outbid") {
        say("bad", `Your bid of ${bidText} was accepted and has been outbid since.`);
      } else say("good", `Accepted: your bid of ${bidText} is the highest.`);
      offer();
      break;
    case "low":
      auction.update(outcome);
      say(
        "bad",
        `Your bid of ${bidText} was too low: bid at least ${amount(auction.least ?? outcome.least)}.`,
      );
      offer();
      break;
    case "ended":
      auction.end();
      notice("The auction ended before your bid arrived.");
      break;
    case "missing":
      notice("There is no such auction.");
      break;
    case "wrong":
      for (const { field, detail } of outcome.errors) {
        if (field === "bidder_id") complain("name", `Your name ${detail}.`);
        else if (field === "amount") complain("amount", `The amount ${detail}.`);
      }
      say("bad", "Your bid was not accepted. Check your name and the amount.");
      form.querySelector("[aria-invalid=true]")?.focus();
      break;
    case "failed":
      say("bad", `Your bid was not accepted: ${outcome.detail}`);
      break;
    case "unreachable":
      say("bad", `The auction cannot be reached. Your bid of ${bidText} was not placed; try again.`);
      break;
    case "unknown":
      say(
        "wait",
        `It is not known whether your bid of ${bidText} was accepted. Place it again to find out: it counts once.`,
      );
      break;
  }
}

function setSending(isSending) {
  sending = isSending;
  allow();
  nameField.readOnly = isSending;
  amountField.readOnly = isSending;
  setText("submit", isSending ? "Sending…" : "Place bid");
}

least.addEventListener("click", () => {
  if (sending) return;
  offer();
  complain("amount", "");
});
nameField.addEventListener("input", () => complain("name", ""));
amountField.addEventListener("input", () => complain("amount", ""));

// Where storage is forbidden nothing is remembered, and everything else works.
function remembered(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {}
}

// Watching.

/** Without a WebSocket, the gateway may know why. Resolves to whether to go on trying. */
async function lookUp() {
  try {
    const answer = await fetch(`/auctions/${auctionId}`, {
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(5000),
    });
    if (answer.status === 404) {
      notice("There is no such auction.");
      hideForm();
      if (auction.standing === undefined) showNone();
      setLive("off", "Not live");
      return false;
    }
    if (!answer.ok) return true;
    auction.replace(await answer.json());
    render();
    if (auction.standing?.status !== "ended") return true;
    setLive("off", "Ended");
    return false;
  } catch {
    return true;
  }
}

const { stop } = watch(auctionId, {
  onMessage(message) {
    auction.hear(message.at);
    if (message.type === "snapshot") auction.replace(message);
    else auction.update(message);
    render();
    if (auction.standing?.status !== "ended") return;
    stop();
    setLive("off", "Ended");
  },
  onLive: () => setLive("live", "Live"),
  onLost(againInMs) {
    const seconds = Math.ceil(againInMs / 1000);
    setLive("lost", `Not live – reconnecting${seconds > 1 ? ` in ${seconds} s` : "…"}`);
  },
  onFailed: lookUp,
});

nameField.value = me;
setInterval(render, 1000);
