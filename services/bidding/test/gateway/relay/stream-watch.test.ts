import t from "tap";
import { StreamWatch } from "../../../src/gateway/relay/stream-watch.ts";

const state = (identity: string, lastSeq: number) => ({ identity, lastSeq, waiting: 0 });
const kept = (seq: number) => ({ seq, duplicate: false });

t.test("a stream that goes on has lost nothing", async (t) => {
  const watch = new StreamWatch();
  t.notOk(watch.saw(state("a", 5), watch.mark));
  for (const seq of [6, 7, 8]) t.notOk(watch.kept(kept(seq)));
  t.notOk(watch.kept({ seq: 2, duplicate: true }), "one that was there has the number that it had");
  t.notOk(watch.saw(state("a", 8), watch.mark));
});

t.test("answers that cross have lost nothing", async (t) => {
  const watch = new StreamWatch();
  watch.kept(kept(6));
  const { mark } = watch;
  watch.kept(kept(7));
  t.notOk(watch.saw(state("a", 6), mark), "it was asked before the seventh was kept");
  t.notOk(watch.saw(state("a", 10), watch.mark), "it knows of three whose answers are on their way");
  for (const seq of [8, 9, 10]) t.notOk(watch.kept(kept(seq)));
});

t.test("one that was made anew has lost all, even when it has more by then", async (t) => {
  const watch = new StreamWatch();
  watch.saw(state("a", 5), watch.mark);
  t.ok(watch.saw(state("b", 9), watch.mark));
  t.notOk(watch.saw(state("b", 9), watch.mark), "which is told once");
});

t.test("one whose end is gone has lost something", async (t) => {
  const watch = new StreamWatch();
  watch.saw(state("a", 5), watch.mark);
  watch.kept(kept(6));
  t.ok(watch.saw(state("a", 4), watch.mark));
  t.notOk(watch.kept(kept(5)));
});

t.test("a number that was given before shows it at once", async (t) => {
  const watch = new StreamWatch();
  watch.saw(state("a", 5), watch.mark);
  watch.kept(kept(6));
  t.ok(watch.kept(kept(1)));
  t.notOk(watch.kept(kept(2)));
  t.notOk(watch.saw(state("a", 2), watch.mark));
});
