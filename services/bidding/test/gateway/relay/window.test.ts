import { randomUUID } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import type { AuctionEvent } from "../../../src/domain/events.ts";
import { PublishWindow } from "../../../src/gateway/relay/window.ts";
import { aBid } from "../../some-events.ts";

/** A publisher whose answers the test gives. */
function manual(mostInFlight: number) {
  const sent: { readonly event: AuctionEvent; readonly answer: PromiseWithResolvers<void> }[] = [];
  const kept: number[] = [];
  const window = new PublishWindow({
    mostInFlight,
    onKept: ({ seq }) => void kept.push(seq),
    publisher: {
      async publish(event) {
        const answer = Promise.withResolvers<void>();
        sent.push({ event, answer });
        await answer.promise;
        return { seq: sent.length, duplicate: false };
      },
    },
  });
  return { window, sent, kept };
}
const id = randomUUID();

t.test("no more are on their way than may be", async (t) => {
  const { window, sent, kept } = manual(2);
  for (const at of [1, 2]) {
    t.ok(window.open);
    window.send(aBid(id, at), `0-${at - 1}`);
  }
  t.notOk(window.open);
  const room = window.room();
  await turn();
  t.equal(sent.length, 2);
  sent[0]?.answer.resolve();
  t.ok(await room);
  window.send(aBid(id, 3), "0-2");
  t.equal(sent.length, 3);
  t.equal(window.inFlight, 2);
  for (const { answer } of sent) answer.resolve();
  t.equal(await window.settle(), undefined);
  t.equal(window.inFlight, 0);
  t.equal(kept.length, 3);
});

t.test(
  "of those that fail the oldest is told, whichever fails first; none is sent after one has",
  async (t) => {
    const { window, sent, kept } = manual(3);
    for (const at of [1, 2, 3]) window.send(aBid(id, at), `0-${at - 1}`);
    const room = window.room();
    sent[2]?.answer.reject(new Error("third"));
    t.notOk(await room);
    t.ok(window.failed);
    sent[1]?.answer.reject(new Error("second"));
    sent[0]?.answer.resolve();
    t.match(await window.settle(), { after: "0-1", error: { message: "second" } });
    t.notOk(window.failed);
    t.equal(kept.length, 1);
    t.ok(await window.room());
    window.send(aBid(id, 2), "0-1");
    sent[3]?.answer.resolve();
    t.equal(await window.settle(), undefined);
  },
);

t.test("the oldest is the oldest entry, though a younger one was sent before it", async (t) => {
  const { window, sent } = manual(2);
  window.send(aBid(id, 7), "0-6");
  window.send(aBid(id, 1), "0-0");
  sent[0]?.answer.reject(new Error("the younger one"));
  sent[1]?.answer.reject(new Error("the older one"));
  t.match(await window.settle(), { after: "0-0", error: { message: "the older one" } });
});
