import fc from "fast-check";
import t from "tap";
import * as ws from "ws";
import { textFrame } from "../../../src/broadcaster/live/frames.ts";

/** What `ws` itself would write. Its types do not have it. */
function asWsWrites(text: string): Buffer {
  const { Sender } = ws as unknown as {
    Sender: { frame(data: Buffer, options: object): readonly Buffer[] };
  };
  const options = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true };
  return Buffer.concat(Sender.frame(Buffer.from(text), options));
}

t.test("the lengths where the header changes", async (t) => {
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 100_000]) {
    const text = "x".repeat(length);
    t.same(textFrame(text), asWsWrites(text), `${length} bytes`);
  }
});

t.test("property: any text is the frame that ws would write", async (t) => {
  const texts = fc.string({ unit: "grapheme", maxLength: 100 });
  fc.assert(fc.property(texts, (text) => textFrame(text).equals(asWsWrites(text))));
  t.pass();
});

t.test("a frame that waits keeps nothing else in memory", async (t) => {
  const frame = textFrame("x");
  t.equal(frame.buffer.byteLength, frame.length);
});
