/**
 * The WebSocket to an auction, opened again and again for as long as the page is there.
 *
 * @typedef {object} Live
 * @property {(message: object) => void} onMessage each message but ticks, parsed
 * @property {() => void} onLive what is shown is how it is
 * @property {(againInMs: number) => void} onLost it no longer is, or never was
 * @property {() => Promise<boolean>} onFailed it could not be opened: whether to go on trying
 */

const BACKOFF_MS = { first: 500, most: 15_000 };
/** The server says something every five seconds, if only a tick. After two and a half of these it hangs, or is not reached any more. */
const SILENT_MS = 12_500;
/** A phone that slept for longer may have a connection that is dead and does not know it. */
const SLEPT_MS = 30_000;

/**
 * @param {string} auctionId
 * @param {Live} live
 * @returns {{ stop: () => void }}
 */
export function watch(auctionId, { onMessage, onLive, onLost, onFailed }) {
  const url = new URL(`/auctions/${auctionId}/live`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  let attempts = 0;
  let stopped = false;
  /** @type {WebSocket | undefined} */
  let socket;
  let timer;
  /** Until the socket is given up. */
  let silence;
  let hiddenAt = 0;
  /** Whether `onLost` was told last, and not `onLive`. */
  let isLost = true;

  function open() {
    clearTimeout(timer);
    timer = undefined;
    if (attempts > 0) lose(0);
    const mine = new WebSocket(url);
    socket = mine;
    let wasOpen = false;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(over, SILENT_MS);
    };
    /** It was closed, or it is silent: then its end is not waited for, which a server that hangs has no part in. */
    const over = async () => {
      if (mine !== socket) return;
      socket = undefined;
      clearTimeout(silence);
      mine.close();
      if (stopped) return;
      const againIn = backoff();
      lose(againIn);
      if (!wasOpen && !(await onFailed())) stop();
      else if (!stopped && !socket) timer ??= setTimeout(open, againIn);
    };
    listen();
    mine.addEventListener("message", ({ data }) => {
      if (mine !== socket) return;
      listen();
      wasOpen = true;
      attempts = 0;
      if (isLost) onLive();
      isLost = false;
      const message = JSON.parse(data);
      if (message.type !== "tick") onMessage(message);
    });
    mine.addEventListener("close", over);
  }

  /** Spread, so that all who were cut off do not come back in the same moment. */
  function backoff() {
    const longest = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** attempts);
    attempts += 1;
    return longest * (0.5 + Math.random() / 2);
  }

  /** At once, when there is reason to think that it works now. */
  function openNow() {
    if (stopped) return;
    const old = socket;
    socket = undefined;
    old?.close();
    open();
  }

  function onVisibility() {
    if (document.hidden) hiddenAt = performance.now();
    else if (timer !== undefined || performance.now() - hiddenAt > SLEPT_MS) openNow();
  }

  function lose(againInMs) {
    isLost = true;
    onLost(againInMs);
  }

  function onOffline() {
    lose(0);
  }

  function stop() {
    stopped = true;
    clearTimeout(timer);
    clearTimeout(silence);
    removeEventListener("online", openNow);
    removeEventListener("offline", onOffline);
    document.removeEventListener("visibilitychange", onVisibility);
    socket?.close();
  }

  addEventListener("online", openNow);
  addEventListener("offline", onOffline);
  document.addEventListener("visibilitychange", onVisibility);
  open();
  return { stop };
}
