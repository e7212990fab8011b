/**
 * The time of day as ISO 8601, to the millisecond. Under load many requests and log lines share one
 * millisecond, and formatting it is among the dearest things that a request does: it is done once for each.
 */
let formattedAt = Number.NaN;
let formatted = "";

export function isoNow(): string {
  const now = Date.now();
  if (now !== formattedAt) {
    formatted = new Date(now).toISOString();
    formattedAt = now;
  }
  return formatted;
}
