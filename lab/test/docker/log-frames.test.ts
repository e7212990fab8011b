import t from "tap";
import { demultiplex } from "../../src/docker/log-frames.ts";

function frame(stream: 1 | 2, piece: Buffer): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(piece.length, 4);
  return Buffer.concat([header, piece]);
}

t.test("pieces of both streams are put together in their order", async (t) => {
  const long = "x".repeat(70_000);
  const raw = [frame(1, Buffer.from("out\n")), frame(2, Buffer.from("bad\n")), frame(1, Buffer.from(long))];
  t.equal(demultiplex(Buffer.concat(raw)), `out\nbad\n${long}`);
  t.equal(demultiplex(Buffer.alloc(0)), "");
});

t.test("a character that two pieces share is whole", async (t) => {
  const euro = Buffer.from("€");
  t.equal(demultiplex(Buffer.concat([frame(1, euro.subarray(0, 1)), frame(1, euro.subarray(1))])), "€");
});

t.test("a log that is cut short is read as far as it goes", async (t) => {
  const whole = Buffer.concat([frame(1, Buffer.from("first\n")), frame(1, Buffer.from("second\n"))]);
  t.equal(demultiplex(whole.subarray(0, -3)), "first\nseco");
  t.equal(demultiplex(whole.subarray(0, 8 + 6 + 5)), "first\n");
});
