import t from "tap";
import type { RunFigures } from "../../../src/experiments/figures.ts";
import { type DoorAnswer, type Doors, syncFindings } from "../../../src/experiments/orders/sync-figures.ts";
import { syncVsAsync } from "../../../src/experiments/orders/sync-vs-async.ts";
import { parseVariant, resolveParameters } from "../../../src/experiments/parameters.ts";

const BEGAN = 1_000_000;

const answer = (
  id: string,
  begins: number,
  seconds: number,
  changes: Partial<DoorAnswer> = {},
): DoorAnswer => ({
  at: BEGAN + begins * 1000,
  wall_ms: seconds * 1000,
  ms: seconds * 1000,
  id,
  op: "place-sync",
  status: 200,
  ...changes,
});
const timedOut = { status: 0, ms: 0, error: 1050 };

/** The study's minute as its figures imply it: nine are served, twenty hang up, and twenty still wait at the end. */
const doors: Doors = {
  sync: [
    ...Array.from({ length: 9 }, (_, n) => answer(`s${n}`, 0, 3 * (n + 1))),
    ...Array.from({ length: 11 }, (_, n) => answer(`t${n}`, 0, 30, timedOut)),
    ...Array.from({ length: 9 }, (_, n) => answer(`u${n}`, 3 * (n + 1), 30, timedOut)),
    ...Array.from({ length: 11 }, (_, n) => answer(`v${n}`, 30, 30, timedOut)),
    ...Array.from({ length: 9 }, (_, n) => answer(`w${n}`, 33 + 3 * n, 30, timedOut)),
  ],
  async: Array.from({ length: 3430 }, (_, n) =>
    answer(`a${n}`, 90 + (n * 59) / 3430, 0.04, { op: "place", status: n === 0 ? 503 : 202 }),
  ),
};

t.test("what was finished within the minute is counted, as the study's tool did", async (t) => {
  const charged = (order_id: string, seconds: number) => ({
    seq: 1,
    charge_id: order_id,
    amount_minor: 1,
    order_id,
    charged_at: new Date(BEGAN + seconds * 1000).toISOString(),
  });
  const findings = syncFindings(doors, [charged("s0", 3), charged("t0", 33), charged("u0", 66)], 60);
  t.match(findings, {
    sync_attempted: 49,
    sync_finished: 29,
    sync_succeeded: 9,
    sync_failed: 20,
    sync_timed_out: 20,
    sync_median_ms: 30_000,
    sync_charged_after_hang_up: 1,
    sync_charged_after_hang_up_in_the_end: 2,
    async_finished: 3430,
    async_failed: 1,
    async_median_ms: 40,
  });
  t.equal(Math.round(findings.sync_mean_ms ?? 0), 25_345, "the published mean is 25,365 ms");
  t.equal(Math.round(findings.sync_failed_percent ?? 0), 69, "two thirds, not 41 percent");
});

const asPlanned = syncVsAsync.services(resolveParameters(syncVsAsync, {}));

t.test("other customers, or another provider, are not those of the study", async (t) => {
  const figures = { findings: syncFindings(doors, [], 60) } as unknown as RunFigures;
  const of = (changes: string, services = asPlanned) => {
    const values = resolveParameters(syncVsAsync, parseVariant(changes).parameters);
    return syncVsAsync.beside?.(figures, values, services) ?? [];
  };
  const charged = (changes: string) => of(changes).find(({ what }) => what === "charged after hanging up");
  t.ok(of("").some(({ published }) => published !== null));
  for (const changes of ["think=0.5", "abandon=1"]) {
    t.ok(
      of(changes).every(({ published }) => published === null),
      changes,
    );
  }
  t.match(charged("think=0.5"), { model: 10 });
  t.notOk(charged("abandon=1")?.model, "the model keeps everybody in the line");
  t.match(of("abandon=1")[2], { what: "succeeded", model: 9 }, "of which no other figure depends");
  const five = { "orders-payments": { ...asPlanned["orders-payments"], PAYMENT_CONCURRENCY: "5" } };
  t.ok(of("", five).every(({ model, published }) => model === undefined && published === null));
});

t.test("beside the study and beside the line that explains it", async (t) => {
  const values = resolveParameters(syncVsAsync, {});
  const figures = { findings: syncFindings(doors, [], 60) } as unknown as RunFigures;
  const lines = syncVsAsync.beside?.(figures, values, asPlanned) ?? [];
  const of = (door: string, what: string) => lines.find((line) => line.of === door && line.what === what);
  t.match(of("synchronous", "attempted"), { measured: 49, model: 49, published: 49 });
  t.match(of("synchronous", "finished"), {
    measured: 29,
    model: 29,
    published: 29,
    reason: /counts the failures twice/,
  });
  t.match(of("synchronous", "succeeded"), { measured: 9, model: 9, published: 9 });
  t.match(of("synchronous", "failed of finished"), { published: 41 });
  t.match(of("queued", "finished"), { measured: 3430, published: 3430 });
  t.match(syncVsAsync.readings?.(figures, values), [/9 of 29/, /750 times as fast/, /SYNC_ABANDON=keep/]);
  const short = resolveParameters(
    syncVsAsync,
    parseVariant("seconds=6 payment_seconds=0.3 timeout=3").parameters,
  );
  const beside = syncVsAsync.beside?.(figures, short, asPlanned) ?? [];
  t.ok(
    beside.every(({ published, reason }) => published === null && reason === undefined),
    "another experiment",
  );
  t.match(beside[2], { what: "succeeded", model: 9 });
});

t.test("nobody at all is no figure, and no defect", async (t) => {
  const findings = syncFindings({ sync: [], async: [] }, [], 60);
  t.match(findings, { sync_finished: 0, sync_failed_percent: 0, async_finished: 0, sync_mean_ms: 0 });
  t.ok(Object.values(findings).every(Number.isFinite));
});
