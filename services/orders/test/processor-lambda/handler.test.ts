/** The function's handler on in-memory twins: what is processed, what fails, and what Lambda is told of it. */

import { PermanentFailure } from "@parallax/messaging";
import { createLogger, DependencyUnavailable } from "@parallax/service";
import t from "tap";
import { MemoryLedger } from "../../src/adapters/ledgers.ts";
import { MemoryOrderStore } from "../../src/adapters/memory-order-store.ts";
import { encodeOrder } from "../../src/domain/order-message.ts";
import type { CallContext, PaymentProvider } from "../../src/domain/ports.ts";
import { createHandler, type InvocationContext } from "../../src/processor-lambda/handler.ts";
import { anOrder } from "../helpers.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

function setUp({ level = "info" } = {}) {
  const store = new MemoryOrderStore();
  const ledger = new MemoryLedger();
  const calls: CallContext[] = [];
  /** What the provider does instead of charging. */
  let instead: ((context: CallContext) => Promise<never>) | undefined;
  const payments: PaymentProvider = {
    async charge({ order_id, amount_minor }, context) {
      calls.push(context);
      if (instead) return await instead(context);
      const charge = { charge_id: `charge-${calls.length}`, order_id, amount_minor };
      return await ledger.record({ ...charge, charged_at: new Date().toISOString() });
    },
  };
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({
    name: "test",
    level,
    destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
  });
  const handler = createHandler({ store, payments, logger, initMs: 12.5 });
  const charges = async () => (await ledger.page(0, 100)).map(({ order_id }) => order_id);
  return {
    store,
    calls,
    lines,
    charges,
    invoke: (event: unknown, context = aContext()) => handler(event, context),
    failWith(what: typeof instead) {
      instead = what;
    },
  };
}

let requests = 0;

function aContext(left = 10_000): InvocationContext {
  requests += 1;
  return { awsRequestId: `request-${requests}`, getRemainingTimeInMillis: () => left };
}

/** As SNS sends it, with what it says of itself. */
function anEvent(...bodies: string[]) {
  return {
    Records: bodies.map((Message, n) => ({
      EventVersion: "1.0",
      EventSubscriptionArn: "arn:aws:sns:us-west-2:000000000000:topic:subscription",
      EventSource: "aws:sns",
      Sns: {
        Type: "Notification",
        MessageId: `message-${n}`,
        TopicArn: "arn:aws:sns:us-west-2:000000000000:topic",
        Subject: null,
        Message,
        Timestamp: "2026-01-02T03:04:05.678Z",
        MessageAttributes: { traceparent: { Type: "String", Value: `00-${TRACE}-b7ad6b7169203331-01` } },
      },
    })),
  };
}

const bodyOf = (order_id: string, changes = {}) => encodeOrder(anOrder({ order_id, ...changes }), "").body;

t.test("an order is processed and charged once, within the trace that it came in", async (t) => {
  const { store, calls, lines, charges, invoke } = setUp();
  await invoke(anEvent(bodyOf("a")));
  t.match(await store.find("a"), { status: "completed", attempts: 1 });
  t.same(await charges(), ["a"]);
  t.match(calls[0]?.traceparent, new RegExp(`^00-${TRACE}-`));
  t.notMatch(calls[0]?.traceparent, /b7ad6b7169203331/, "by a span of its own");
  t.match(lines.at(-1), { msg: "order processed", order_id: "a", outcome: "completed", trace_id: TRACE });
});

t.test("duplicates, in one event and in several, have no effect", async (t) => {
  const { charges, invoke, lines } = setUp();
  await invoke(anEvent(bodyOf("a"), bodyOf("a"), bodyOf("b")));
  await invoke(anEvent(bodyOf("a")));
  t.same((await charges()).sort(), ["a", "b"]);
  t.match(lines.at(-1), { order_id: "a", outcome: "duplicate" });
});

t.test("only an environment's first event is a cold start, whose init is told", async (t) => {
  const { lines, invoke } = setUp();
  await invoke(anEvent(bodyOf("a")));
  await invoke(anEvent(bodyOf("b")));
  const [first, second] = lines.filter(({ msg }) => msg === "invoked");
  t.match(first, { cold_start: true, init_ms: 12.5, request_id: /^request-/ });
  t.match(second, { cold_start: false });
  t.notHas(second, "init_ms");
});

t.test("a message that is no order fails at once, as a failure that no retry can mend", async (t) => {
  const { calls, lines, invoke } = setUp();
  await t.rejects(invoke(anEvent("{}")), PermanentFailure);
  await t.rejects(invoke(anEvent("no JSON")), PermanentFailure);
  t.equal(calls.length, 0, "nobody was asked to pay");
  t.match(lines.at(-1), { level: "error", message_id: "message-0", request_id: /^request-/ });
});

t.test("asked whether it is ready, it tells whether it reaches its database", async (t) => {
  const { store, calls, invoke } = setUp({ level: "silent" });
  await invoke({ check: "ready" });
  store.out = true;
  await t.rejects(invoke({ check: "ready" }), DependencyUnavailable);
  t.equal(calls.length, 0);
});

t.test("an event of something else is refused", async (t) => {
  const { invoke } = setUp({ level: "silent" });
  for (const event of [
    undefined,
    null,
    {},
    { Records: [] },
    { Records: [{ s3: {} }] },
    { Records: [{ Sns: { Message: 1 } }] },
  ]) {
    await t.rejects(invoke(event), PermanentFailure, JSON.stringify(event) ?? "undefined");
  }
});

t.test("another order with the id of a known one is refused, the known one stays", async (t) => {
  const { store, invoke, charges } = setUp({ level: "silent" });
  await invoke(anEvent(bodyOf("a")));
  await t.rejects(invoke(anEvent(bodyOf("a", { customer_id: "another" }))), PermanentFailure);
  t.match(await store.find("a"), { status: "completed", customer_id: "customer-1" });
  t.same(await charges(), ["a"]);
});

t.test(
  "one failure of several orders fails the event; the others are done, and stay done in the retry",
  async (t) => {
    const { charges, invoke } = setUp({ level: "silent" });
    await t.rejects(invoke(anEvent(bodyOf("a"), "{}", bodyOf("b"))), PermanentFailure);
    await t.rejects(invoke(anEvent(bodyOf("a"), "{}", bodyOf("b"))), PermanentFailure, "the retry");
    t.same((await charges()).sort(), ["a", "b"]);
  },
);

t.test("several failures are told together", async (t) => {
  const { invoke } = setUp({ level: "silent" });
  await t.rejects(invoke(anEvent("{}", bodyOf("a"), "[]")), {
    name: "AggregateError",
    message: "2 of 3 orders were not processed",
  });
});

t.test("the provider or the database being out fails the event; a retry succeeds", async (t) => {
  const { store, invoke, charges, failWith } = setUp({ level: "silent" });
  failWith(async () => {
    throw new DependencyUnavailable("The payment provider answers 500.");
  });
  await t.rejects(invoke(anEvent(bodyOf("a"))), DependencyUnavailable);
  t.match(await store.find("a"), { status: "processing" });
  failWith(undefined);
  store.out = true;
  await t.rejects(invoke(anEvent(bodyOf("a"))), DependencyUnavailable);
  store.out = false;
  await invoke(anEvent(bodyOf("a")));
  t.match(await store.find("a"), { status: "completed" });
  t.same(await charges(), ["a"]);
});

t.test("what fails for a moment is tried again within the event, three times in all", async (t) => {
  const { calls, store, invoke, failWith } = setUp({ level: "silent" });
  failWith(async () => {
    if (calls.length === 2) failWith(undefined);
    throw new DependencyUnavailable("The payment provider does not answer.");
  });
  await invoke(anEvent(bodyOf("a")));
  t.match(await store.find("a"), { status: "completed", attempts: 3 });
  failWith(async () => {
    throw new DependencyUnavailable("The payment provider does not answer.");
  });
  await t.rejects(invoke(anEvent(bodyOf("b"))), DependencyUnavailable);
  t.equal(calls.length, 6);
});

t.test("a refusal is not tried again", async (t) => {
  const { calls, invoke, failWith } = setUp({ level: "silent" });
  failWith(async () => {
    throw new PermanentFailure("The payment provider refuses the charge.");
  });
  await t.rejects(invoke(anEvent(bodyOf("a"))), PermanentFailure);
  t.equal(calls.length, 1);
});

t.test("there is no second try when the time is over", async (t) => {
  const { calls, invoke, failWith } = setUp({ level: "silent" });
  failWith(async () => {
    throw new DependencyUnavailable("The payment provider does not answer.");
  });
  await t.rejects(invoke(anEvent(bodyOf("a")), aContext(550)), DependencyUnavailable);
  t.equal(calls.length, 1);
});

t.test("a payment that would outlast the function is given up while there is time to say so", async (t) => {
  const { invoke, failWith } = setUp({ level: "silent" });
  failWith(
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        // Holds the process while nothing else does; the time-out of a signal does not.
        setTimeout(() => reject(new Error("it was not given up")), 20_000).unref();
      }),
  );
  const keepAlive = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(keepAlive));
  await t.rejects(invoke(anEvent(bodyOf("a")), aContext(600)), { name: "TimeoutError" });
});

t.test("a database that answers nothing is given up while there is time to say so", async (t) => {
  const { store, lines, invoke } = setUp();
  store.begin = () => new Promise(() => {});
  const keepAlive = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(keepAlive));
  await t.rejects(invoke(anEvent(bodyOf("a")), aContext(600)), { name: "TimeoutError" });
  t.match(lines.at(-1), { level: "error", message_id: "message-0" });
});
