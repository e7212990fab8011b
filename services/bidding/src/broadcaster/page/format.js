/** How amounts and times are written, and read. */

const FAR_MS = 99 * 86_400_000;
/** Parts of a moment, from the first to the last of which is its time. */
const TIME = ["hour", "minute", "dayPeriod"];

const grouped = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });

/** @param {number} value whole, of the smallest unit */
export function amount(value) {
  return grouped.format(value);
}

/**
 * What a person typed as an amount: digits, or digits in groups of three.
 * @param {string} text
 * @returns {number | undefined} undefined unless it is a whole number from 1 to 2^53 - 1
 */
export function parseAmount(text) {
  const trimmed = text.trim();
  if (!/^(\d{1,20}|\d{1,3}([\s,.'’]\d{3})+)$/.test(trimmed)) return undefined;
  const value = Number(trimmed.replaceAll(/\D/g, ""));
  return value >= 1 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/**
 * Its two largest parts; each is as wide as it was a second before, as far as there are digits.
 * @param {number} ms
 */
export function timeLeft(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const largest = parts.findIndex(([value]) => value > 0);
  const first = largest === -1 ? parts.length - 1 : largest;
  return parts
    .slice(first, first + 2)
    .map(([value, unit], at) => `${at === 0 ? value : String(value).padStart(2, "0")} ${unit}`)
    .join(" ");
}

/** So far away that the day says more than the time that is left. */
export function isFar(ms) {
  return ms > FAR_MS;
}

/** @param {string} iso */
export function day(iso) {
  return new Date(iso).toLocaleDateString(undefined, { dateStyle: "medium" });
}

/**
 * Its time stays on one line.
 * @param {string} iso
 * @param {string} [locale]
 */
export function moment(iso, locale) {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const parts = format.formatToParts(new Date(iso));
  const isTime = ({ type }) => TIME.includes(type);
  const [first, last] = [parts.findIndex(isTime), parts.findLastIndex(isTime)];
  return parts
    .map(({ value }, at) => (at >= first && at <= last ? value.replaceAll(/\s/g, "\u00a0") : value))
    .join("");
}

/** A random UUID. `crypto.randomUUID` is only there on https and on this machine, and phones come by plain http. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
