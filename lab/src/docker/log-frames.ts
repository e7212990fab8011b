/** Containers' logs as the engine sends them, for a container without a terminal: pieces of both its streams, in frames. */

/** Of a frame: the stream's number, three zeros, the length of the piece that follows, big-endian. */
const headerLength = 8;

/** The text of both streams, in the order in which it was written. A piece that is cut short is taken as it is. */
export function demultiplex(raw: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + headerLength <= raw.length; ) {
    const start = at + headerLength;
    const end = start + raw.readUInt32BE(at + 4);
    pieces.push(raw.subarray(start, end));
    at = end;
  }
  return Buffer.concat(pieces).toString("utf8");
}
