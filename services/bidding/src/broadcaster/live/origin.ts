/**
 * Whose pages may watch. A browser lets any page open a WebSocket to anywhere and names the page's origin; what is no
 * browser names none.
 */

/**
 * @param origin the request's Origin
 * @param host the request's Host
 * @param allowed origins such as https://auctions.example
 */
export function mayWatch(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true;
  // "null", as sandboxed pages and files say, is no URL.
  const from = URL.parse(origin);
  if (from === null || !["http:", "https:"].includes(from.protocol)) return false;
  if (allowed.includes(from.origin)) return true;
  // By its protocol, so that a default port is the same whether or not it is written. Which protocol it is cannot be compared: a
  // load balancer may have ended TLS.
  return (
    host !== undefined &&
    /^[^\s/?#@]+$/.test(host) &&
    URL.parse(`${from.protocol}//${host}`)?.host === from.host
  );
}
