/** What `redrive` says of dead letters that were moved when it did not come to its end. */
import type { QueueOperator, RedriveOptions } from "@parallax/messaging";
import t from "tap";
import { LabError } from "../../src/cli/lab-error.ts";
import { Output } from "../../src/cli/output.ts";
import { redrive } from "../../src/commands/redrive.ts";

const BATCH = 10;

/** Moves batch by batch, as the operators of both brokers do: between two of them it may be interrupted, or break. */
function operator(there: number, afterBatch: (moved: number) => void) {
  const state = { dead: there, back: 0 };
  const queue: QueueOperator = {
    depth: async () => ({ visible: state.back, inFlight: 0, delayed: 0, deadLettered: state.dead }),
    deadLetters: async () => [],
    async redrive({ limit = there, signal, onMoved }: RedriveOptions = {}) {
      let moved = 0;
      while (moved < limit && state.dead > 0) {
        signal?.throwIfAborted();
        const batch = Math.min(BATCH, limit - moved, state.dead);
        state.dead -= batch;
        state.back += batch;
        moved += batch;
        onMoved?.(moved);
        afterBatch(moved);
      }
      return { moved };
    },
    async [Symbol.asyncDispose]() {},
  };
  return { queue, state };
}

function context() {
  const interrupt = new AbortController();
  let text = "";
  const sink = { write: (more: string) => (text += more) };
  const output = new Output({ stdout: sink, stderr: sink, environment: {} });
  return { output, signal: interrupt.signal, interrupt, shown: () => text };
}

t.test("all of them, or as many as were asked for", async (t) => {
  for (const [limit, moved] of [
    [undefined, 25],
    [12, 12],
    [30, 25],
  ] as const) {
    const { queue } = operator(25, () => {});
    const around = context();
    t.same(await redrive(queue, around, limit), { there: 25, moved, left: 25 - moved });
    t.match(around.shown(), `Moving ${moved} dead letters back to the queue`);
  }
});

t.test("Ctrl-C between two batches: what was moved is said, and that is what is back", async (t) => {
  const around = context();
  const { queue, state } = operator(35, (moved) => {
    if (moved === 2 * BATCH) around.interrupt.abort(new LabError("INTERRUPTED", "Interrupted."));
  });
  await t.rejects(redrive(queue, around), {
    code: "INTERRUPTED",
    reason: "20 dead letters moved; the others are where they were.",
  });
  t.same(state, { dead: 15, back: 20 });
});

t.test("Ctrl-C before the first batch", async (t) => {
  const around = context();
  around.interrupt.abort(new LabError("INTERRUPTED", "Interrupted."));
  const { queue, state } = operator(5, () => {});
  await t.rejects(redrive(queue, around), { code: "INTERRUPTED", reason: /^0 dead letters moved/ });
  t.same(state, { dead: 5, back: 0 });
});

t.test("a broker that breaks on the way: what was moved is said, with how to go on", async (t) => {
  const { queue } = operator(11, (moved) => {
    if (moved === BATCH) throw new Error("The broker is away");
  });
  await t.rejects(redrive(queue, context()), {
    code: "COMMAND_FAILED",
    reason: "The broker is away (10 dead letters moved)",
    remedy: /make redrive" goes on/,
    cause: { message: "The broker is away" },
  });
});

t.test("a single one is one", async (t) => {
  const { queue } = operator(2, () => {
    throw new Error("away");
  });
  await t.rejects(redrive(queue, context(), 1), {
    code: "COMMAND_FAILED",
    reason: "away (1 dead letter moved)",
  });
});
