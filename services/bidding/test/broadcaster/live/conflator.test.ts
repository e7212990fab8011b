import fc from "fast-check";
import t from "tap";
import { Conflator } from "../../../src/broadcaster/live/conflator.ts";

/** A clock that is moved by hand, with its timers. */
class Clock {
  ms = 0;
  #timers: { readonly at: number; readonly run: () => void }[] = [];
  readonly now = () => this.ms;
  readonly setTimer = (run: () => void, ms: number) => {
    const timer = { at: this.ms + ms, run };
    this.#timers.push(timer);
    return timer;
  };
  readonly clearTimer = (timer: never) => {
    this.#timers = this.#timers.filter((each) => each !== timer);
  };

  to(ms: number): void {
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      if (!next || next.at > ms) break;
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.ms = Math.max(this.ms, next.at);
      next.run();
    }
    this.ms = Math.max(this.ms, ms);
  }
}

/** Changes at these times, what was sent when, and the state that each sent. */
function run(hz: number, times: readonly number[], takesMs = 0) {
  const clock = new Clock();
  const sent: { at: number; state: number }[] = [];
  let state = 0;
  const send = () => {
    sent.push({ at: clock.ms, state });
    clock.ms += takesMs;
  };
  const conflator = new Conflator({ hz, send, ...clock });
  for (const time of times) {
    clock.to(time);
    state += 1;
    conflator.changed();
  }
  clock.to(clock.ms + 10_000);
  return sent;
}

t.test("the first change is sent at once, those that follow as one when the interval is over", async (t) => {
  t.same(run(20, [0, 10, 20, 49, 300]), [
    { at: 0, state: 1 },
    { at: 50, state: 4 },
    { at: 300, state: 5 },
  ]);
});

t.test("at 0 each change is sent", async (t) => {
  t.same(
    run(0, [0, 0, 1]).map(({ state }) => state),
    [1, 2, 3],
  );
});

t.test("when sending takes longer than the interval, half of the time is left for the rest", async (t) => {
  const changes = Array.from({ length: 100 }, (_, at) => at * 10);
  const sent = run(20, changes, 100);
  for (const [index, { at }] of sent.entries()) {
    if (index > 0) t.ok(at - (sent[index - 1]?.at ?? 0) >= 200, `sent at ${at}`);
  }
});

t.test("flushing sends what waits, once; stopped, nothing is sent", async (t) => {
  const clock = new Clock();
  let sent = 0;
  const conflator = new Conflator({ hz: 20, send: () => (sent += 1), ...clock });
  conflator.changed();
  conflator.changed();
  conflator.flush();
  t.equal(sent, 2);
  clock.to(1000);
  t.equal(sent, 2, "the timer is gone");
  conflator.changed();
  conflator.changed();
  conflator.stop();
  clock.to(5000);
  t.equal(sent, 3);
});

t.test(
  "property: never more than the rate, never two closer than the interval, and the last always goes out",
  async (t) => {
    const changes = fc.array(fc.double({ min: 0, max: 3000, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), changes, (hz, unsorted) => {
        const times = unsorted.toSorted((a, b) => a - b);
        const sent = run(hz, times);
        for (const [index, { at, state }] of sent.entries()) {
          const before = sent[index - 1];
          if (before && (at - before.at < 1000 / hz - 1e-6 || state <= before.state)) return false;
        }
        const last = times.at(-1) as number;
        const end = sent.at(-1);
        return end?.state === times.length && end.at <= last + 1000 / hz + 1e-6;
      }),
    );
    t.pass();
  },
);
