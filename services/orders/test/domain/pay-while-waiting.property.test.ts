/**
 * Property: whatever customers, queues, networks and processes do, in the end the provider has charged exactly
 * the orders that are completed, each once, and none that is abandoned.
 */

import assert from "node:assert/strict";
import { DependencyUnavailable } from "@parallax/service";
import fc from "fast-check";
import t from "tap";
import { MemoryLedger } from "../../src/adapters/ledgers.ts";
import { MemoryOrderStore } from "../../src/adapters/memory-order-store.ts";
import { payWhileWaiting } from "../../src/domain/pay-while-waiting.ts";
import type { Charge, RevocablePayments } from "../../src/domain/ports.ts";
import { processOrder } from "../../src/domain/process-order.ts";
import { settle } from "../../src/domain/settle.ts";
import { Cashier } from "../../src/payments/cashier.ts";
import { Line } from "../../src/payments/line.ts";
import { anOrder } from "../helpers.ts";

const ORDERS = 4;

type Step =
  | { readonly do: "arrive"; readonly order: number; readonly lateBy: number; readonly deaf: boolean }
  | { readonly do: "deliver"; readonly order: number }
  | { readonly do: "hang up" | "kill" | "pay"; readonly pick: number }
  | { readonly do: "payments" | "database"; readonly out: boolean }
  | { readonly do: "restart payments" | "settle" | "pass" };

const pick = fc.nat(1000);
const order = fc.nat(ORDERS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("arrive" as const),
      order,
      // Turns of the event loop until the charge reaches the provider: a cancellation may overtake it.
      lateBy: fc.oneof(fc.constant(0), fc.nat(8)),
      // The provider does not notice that its caller has gone.
      deaf: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("deliver" as const), order }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("hang up" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("kill" as const), pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pay" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("payments" as const), out: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("database" as const), out: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("restart payments", "settle", "pass", "pass", "pass") }),
  },
) as fc.Arbitrary<Step>;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A ledger that puts a charge on record when it is told to: the payment takes so long. */
class SlowLedger extends MemoryLedger {
  readonly #recording: (() => void)[] = [];
  #free = false;

  override async record(charge: Charge, attempt: number): Promise<Charge> {
    if (!this.#free) await new Promise<void>((resolve) => this.#recording.push(resolve));
    return await super.record(charge, attempt);
  }

  finish(pick: number): void {
    this.#recording.splice(pick % Math.max(1, this.#recording.length), 1)[0]?.();
  }

  finishAll(): void {
    this.#free = true;
    for (const finish of this.#recording.splice(0)) finish();
  }
}

class World {
  readonly ledger = new SlowLedger();
  readonly store = new MemoryOrderStore();
  readonly #concurrency: number;
  /** Of one life of the provider's process: what stands in its line dies with it. */
  #provider: { cashier: Cashier; dies: AbortController };
  readonly #customers: { gone: AbortController; killed: AbortController }[] = [];
  readonly #running: Promise<unknown>[] = [];
  /** Charges on their way to the provider, whoever waits for them. */
  readonly #arriving: Promise<unknown>[] = [];
  #payments: "up" | "out" = "up";
  #unsettled: { order_id: string; attempt: number }[] = [];

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
    this.#provider = this.#open();
  }

  #open() {
    const line = new Line(this.#concurrency, 3);
    return {
      cashier: new Cashier({ ledger: this.ledger, line, paymentSeconds: 0 }),
      dies: new AbortController(),
    };
  }

  /** The provider as a caller sees it: requests arrive late or not at all, answers are lost. */
  #network(lateBy: number, deaf: boolean): RevocablePayments {
    const reach = async <T>(ask: (cashier: Cashier) => Promise<T>): Promise<T> => {
      const { cashier, dies } = this.#provider;
      if (this.#payments === "out") throw new DependencyUnavailable("no connection");
      const died = new Promise<never>((_, reject) => {
        dies.signal.addEventListener("abort", () => reject(new DependencyUnavailable("reset")), {
          once: true,
        });
      });
      died.catch(() => {});
      const asking = ask(cashier);
      asking.catch(() => {});
      const answer = await Promise.race([asking, died]);
      if (this.#payments === ("out" as string)) throw new DependencyUnavailable("the answer was lost");
      return answer;
    };
    return {
      charge: (request, { signal }) => {
        const { dies } = this.#provider;
        const heard = deaf ? dies.signal : AbortSignal.any([signal, dies.signal]);
        const arriving = (async () => {
          for (let turns = 0; turns < lateBy; turns += 1) await turn();
          return (await reach((cashier) => cashier.charge(request, heard))).charge;
        })();
        arriving.catch(() => {});
        this.#arriving.push(arriving);
        const left = new Promise<never>((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
        left.catch(() => {});
        return Promise.race([arriving, left]);
      },
      cancel: ({ order_id, attempt }) => reach((cashier) => cashier.cancel(order_id, attempt)),
    };
  }

  #run(work: Promise<unknown>): void {
    work.catch(() => {});
    this.#running.push(work);
  }

  do(step: Step): void {
    switch (step.do) {
      case "arrive":
        this.#arrive(step.order, step.lateBy, step.deaf);
        break;
      case "deliver":
        this.#run(this.deliver(step.order));
        break;
      case "hang up":
        this.#one(step.pick)?.gone.abort(new Error("hung up"));
        break;
      case "kill":
        this.#one(step.pick)?.killed.abort(new Error("killed"));
        break;
      case "pay":
        this.ledger.finish(step.pick);
        break;
      case "payments":
        this.#payments = step.out ? "out" : "up";
        break;
      case "database":
        this.store.out = step.out;
        break;
      case "restart payments":
        this.#provider.dies.abort(new Error("the provider died"));
        this.#provider = this.#open();
        break;
      case "settle":
        this.#run(this.#settleAll());
        break;
      case "pass":
    }
  }

  async deliver(number: number): Promise<void> {
    await processOrder(theOrder(number), this.#parts(), aCall());
  }

  #arrive(number: number, lateBy: number, deaf: boolean): void {
    const customer = { gone: new AbortController(), killed: new AbortController() };
    this.#customers.push(customer);
    const parts = {
      store: this.store,
      payments: this.#network(lateBy, deaf),
      // Of a receiver without a lease: any round may find its orders, as if it had been slow to renew.
      keeper: { instance: "r", settleAfterSeconds: 3600 },
      // One that is killed remembers nothing.
      onUnsettled: (order: { order_id: string; attempt: number }) => {
        if (!customer.killed.signal.aborted) this.#unsettled.push(order);
      },
    };
    const wait = { giveUp: customer.gone.signal, signal: customer.killed.signal, traceparent: "" };
    this.#run(payWhileWaiting(theOrder(number), parts, wait));
  }

  #one(pick: number) {
    return this.#customers[pick % Math.max(1, this.#customers.length)];
  }

  #parts() {
    return { store: this.store, payments: this.#network(0, false) };
  }

  async #settleAll(): Promise<void> {
    for (const order of this.#unsettled.splice(0)) await this.store.settleIn(0, order);
    for (const order of await this.store.unsettled(100)) await settle(order, this.#parts(), aCall());
  }

  /** Everything answers again, customers have been told or have gone, payments that were begun are made. */
  async end(): Promise<void> {
    this.store.out = false;
    this.#payments = "up";
    this.ledger.finishAll();
    for (const { gone } of this.#customers) gone.abort(new Error("hung up"));
    await Promise.allSettled(this.#running);
  }

  /** Until there is nothing more to settle, and every charge has arrived, also what nobody hears of any more. */
  async settled(): Promise<void> {
    while ((await this.store.unsettled(1)).length > 0) {
      await this.#settleAll();
      await turn();
    }
    // Only now: one that comes after its order was abandoned must find it closed.
    await Promise.allSettled(this.#arriving);
  }
}

function aCall() {
  return { signal: new AbortController().signal, traceparent: "" };
}

function theOrder(number: number) {
  return anOrder({ order_id: `o-${number}` });
}

t.test("charges = completed orders, whatever happens", { timeout: 110_000 }, async (t) => {
  let charged = 0;
  let abandoned = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 2 }),
      fc.array(step, { minLength: 5, maxLength: 60 }),
      async (concurrency, steps) => {
        const world = new World(concurrency);
        for (const step of steps) {
          world.do(step);
          await turn();
        }
        const promised = new Set(steps.flatMap((step) => (step.do === "deliver" ? [step.order] : [])));
        await world.end();
        // A queue delivers again until its order is processed.
        for (const number of promised) await world.deliver(number);
        await world.settled();
        const charges = world.ledger.entries.map(({ order_id }) => order_id);
        assert.equal(new Set(charges).size, charges.length, "one charge an order");
        const states = await Promise.all([...world.store.orders.keys()].map((id) => world.store.find(id)));
        for (const state of states) {
          const isCharged = charges.includes(state?.order_id ?? "");
          assert.equal(
            state?.status,
            isCharged ? "completed" : "abandoned",
            `${state?.order_id}, charged: ${isCharged}`,
          );
          if (isCharged) charged += 1;
          else abandoned += 1;
        }
        assert.ok(charges.every((id) => states.some((state) => state?.order_id === id)));
      },
    ),
    { numRuns: 1000 },
  );
  t.comment(`${charged} charged and completed, ${abandoned} abandoned`);
  t.ok(charged > 200 && abandoned > 200, "both ends were reached");
});
