/**
 * WebSocket frames (RFC 6455, 5.2), made here so that one is made for all watchers: what a server sends is not masked, so that the same
 * bytes go to each of them.
 */

const FINAL_TEXT = 0x81;
/** Lengths up to this are in the second byte; these two values there say that the length follows in 2 or in 8 bytes. */
const MOST_IN_BYTE = 125;
const IN_TWO_BYTES = 126;
const IN_EIGHT_BYTES = 127;

/** One unfragmented, unmasked text frame. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length <= MOST_IN_BYTE ? 2 : length <= 0xffff ? 4 : 10;
  // Not from the shared pool: a frame may wait long for a slow reader, and would keep its neighbours in memory.
  const frame = Buffer.allocUnsafeSlow(header + length);
  frame[0] = FINAL_TEXT;
  if (header === 2) {
    frame[1] = length;
  } else if (header === 4) {
    frame[1] = IN_TWO_BYTES;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = IN_EIGHT_BYTES;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, header);
  return frame;
}
