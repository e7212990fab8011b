/** Batches that SNS and SQS take: their limit on the size is one for all entries of a batch together. */

/** 256 KiB, for a batch as for a single message. */
const MOST_BYTES = 256 * 1024;

/** Splits `items` in order into as few parts as fit. One that does not fit alone is a part of its own. */
export function splitBySize<T>(items: readonly T[], sizeOf: (item: T) => number, most = MOST_BYTES): T[][] {
  const parts: T[][] = [];
  let room = 0;
  for (const item of items) {
    const size = sizeOf(item);
    const part = parts.at(-1);
    if (part && size <= room) {
      part.push(item);
      room -= size;
    } else {
      parts.push([item]);
      room = most - size;
    }
  }
  return parts;
}
