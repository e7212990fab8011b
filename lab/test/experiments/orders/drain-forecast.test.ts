/** What a bounded watch foretells of a drain, held against ledgers that go on to the end. */
import fc from "fast-check";
import t from "tap";
import { forecastLastPaid, saturatedRate } from "../../../src/experiments/orders/drain-forecast.ts";
import { evenQueue } from "../../../src/models/queue.ts";
import { exactly } from "./exact-queue.ts";

/** A queue that grows: payments, and what the system takes beside each of them. */
const overloaded = fc
  .record({
    workers: fc.integer({ min: 1, max: 40 }),
    paymentMs: fc.integer({ min: 100, max: 3000 }),
    overheadShare: fc.double({ min: 0, max: 0.3, noNaN: true }),
    overload: fc.double({ min: 1.5, max: 20, noNaN: true }),
    rounds: fc.integer({ min: 40, max: 60 }),
    cut: fc.double({ min: 0.1, max: 0.95, noNaN: true }),
  })
  .map(({ workers, paymentMs, overheadShare, overload, rounds, cut }) => {
    const payment = paymentMs / 1000;
    const serviceSeconds = payment * (1 + overheadShare);
    const arrivalsPerSecond = (overload * workers) / serviceSeconds;
    const arrivalSeconds = (rounds * workers) / arrivalsPerSecond;
    const parameters = { arrivalsPerSecond, arrivalSeconds, serviceSeconds, workers };
    const { drainSeconds } = evenQueue(parameters);
    return { parameters, payment, until: arrivalSeconds + cut * drainSeconds };
  });

t.test("from some of a drain its end is known, with what orders cost beside their payment", async () => {
  fc.assert(
    fc.property(overloaded, ({ parameters, payment, until }) => {
      const { workers, serviceSeconds } = parameters;
      const orders = exactly(parameters);
      const rate = saturatedRate(orders, { until, workers });
      // Early in a drain of one worker there are too few payments.
      if (!rate) return orders.filter(({ paid = 0 }) => paid <= until).length < 32 + 2 * workers;
      const last = Math.max(...orders.map(({ paid = 0 }) => paid));
      const forecast = forecastLastPaid(orders, { until, workers, serviceSeconds: payment }, rate);
      return (
        Math.abs(rate.perSecond / (workers / serviceSeconds) - 1) < 1e-6 &&
        Math.abs(forecast / last - 1) < 1e-6
      );
    }),
    { numRuns: 60 },
  );
});

t.test("the nominal rate is short of the drain by what orders cost beside their payment", async (t) => {
  const slow = { arrivalsPerSecond: 20, arrivalSeconds: 10, serviceSeconds: 1.1, workers: 5 };
  const orders = exactly(slow);
  const last = Math.max(...orders.map(({ paid = 0 }) => paid));
  const watched = { until: 18, workers: 5, serviceSeconds: 1 };
  const nominal = forecastLastPaid(orders, watched);
  const measured = forecastLastPaid(orders, watched, saturatedRate(orders, watched));
  t.ok(Math.abs(measured / last - 1) < 0.001, `${measured} s forecast, ${last} s in the end`);
  t.ok(nominal < last - 1.5, `${nominal} s by payments alone`);
});

t.test("the tail of a drain, in which workers run dry, is no part of the rate", async (t) => {
  const parameters = { arrivalsPerSecond: 58, arrivalSeconds: 10, serviceSeconds: 1, workers: 20 };
  const orders = exactly(parameters);
  const rate = saturatedRate(orders, { until: Number.POSITIVE_INFINITY, workers: 20 });
  t.ok(Math.abs((rate?.perSecond ?? 0) - 20) < 1e-6, `${rate?.perSecond} a second`);
});

t.test("too few payments, less than a round, or no order that waited: there is no rate", async (t) => {
  const of = (workers: number, orders: number, arrivalsPerSecond: number, until: number) =>
    saturatedRate(
      exactly({ arrivalsPerSecond, arrivalSeconds: orders / arrivalsPerSecond, serviceSeconds: 1, workers }),
      { workers, until },
    );
  t.equal(of(1, 100, 50, 30), undefined, "thirty payments after the first one are thirty-one");
  t.match(of(1, 100, 50, 31), { perSecond: 1, orders: 30 });
  t.equal(of(100, 1000, 500, 1.5), undefined, "a part of the first hundred");
  t.equal(of(20, 1000, 10, 1000), undefined, "workers enough");
  t.equal(saturatedRate([], { workers: 1, until: 9 }), undefined);
});

t.test("what is paid is not forecast", async (t) => {
  const orders = [{ accepted: 0, paid: 3 }];
  const watched = { until: 10, workers: 1, serviceSeconds: 3 };
  t.equal(forecastLastPaid(orders, watched), 3);
  t.equal(forecastLastPaid([], watched), 0);
});

t.test("an order that is long over due is not forecast into the past", async (t) => {
  const orders = Array.from({ length: 50 }, (_, n) => ({ accepted: 0, paid: n < 49 ? n + 1 : undefined }));
  const watched = { until: 90, workers: 1, serviceSeconds: 1 };
  t.ok(forecastLastPaid(orders, watched, saturatedRate(orders, watched)) >= 90);
});
