/** Orders through SNS to a Lambda function on MiniStack: deployed, invoked, failing, and switched for workers and back. */

import { randomUUID } from "node:crypto";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { ASYNC_RETRIES, endEnvironments } from "../../lab/src/lambda/deploy.ts";
import { lambdaFigures } from "../../lab/src/lambda/figures.ts";
import { ORDERS_FUNCTION } from "../../lab/src/lambda/orders-function.ts";
import { acceptOrder } from "../../services/orders/src/domain/order.ts";
import { encodeOrder } from "../../services/orders/src/domain/order-message.ts";
import { ContainerSuite } from "../lib/containers.ts";
import { anOrder } from "../lib/faults/witness.ts";
import { LambdaPipeline } from "../lib/lambda-pipeline.ts";

t.setTimeout(400_000);

const pipeline = await LambdaPipeline.start(t, await ContainerSuite.open(t));
await pipeline.receiveFor("lambda");

/** Longer than MiniStack's pauses of 1 and 2 s before the retries together. */
const LONG_ENOUGH_MS = 5000;

/** A report is written a moment after its order is done. */
async function invocationsReach(count: number): Promise<void> {
  await waitFor(`${count} invocations`, async () => (await pipeline.invocations()).length >= count, 30_000);
}

async function queueIsEmpty(): Promise<void> {
  await waitFor(
    "the queue to be empty",
    async () => {
      const { visible, inFlight } = await pipeline.queue.depth();
      return visible + inFlight === 0;
    },
    60_000,
  );
}

async function untilElapsed(ms: number): Promise<void> {
  const began = performance.now();
  await waitFor("the time to pass", () => performance.now() - began > ms, ms * 2);
}

t.test("before there is a function, orders are refused and not lost", async (t) => {
  const answer = await fetch(`${pipeline.receiverUrl}/orders/async`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(anOrder(randomUUID())),
  });
  t.equal(answer.status, 503);
  t.match(await answer.json(), { retryable: true });
});

t.test("it is deployed, and deployed again without being changed", async (t) => {
  const first = await pipeline.deploy();
  t.match(first, { change: "created", arn: /:function:orders-processor$/ });
  t.same(await pipeline.deploy(), { ...first, change: "kept" });
});

t.test("twenty orders through SNS to the function: one charge each", async (t) => {
  const since = await pipeline.ledgerEnd();
  const ids = await pipeline.acceptInTurns(20);
  await pipeline.allProcessedOnce(t, ids, since);
  const { visible, inFlight } = await pipeline.queue.depth();
  t.equal(visible + inFlight, 0, "none went to the queue");
});

t.test("an environment is kept for later orders until the configuration changes", async (t) => {
  const last = async () => (await pipeline.invocations()).at(-1);
  async function invocationAfter(count: number) {
    await pipeline.accept(1);
    await invocationsReach(count + 1);
    return await last();
  }
  // Two checks of deployments, and twenty orders.
  await invocationsReach(22);
  const before = (await pipeline.invocations()).length;
  t.match(await invocationAfter(before), { coldStart: false });
  await endEnvironments(pipeline.lambda, ORDERS_FUNCTION.name, randomUUID(), AbortSignal.timeout(60_000));
  t.match(await invocationAfter(before + 1), { coldStart: true });
  t.match(await invocationAfter(before + 2), { coldStart: false });
});

t.test(
  "MiniStack's reports tell of no init, in whole milliseconds; the function tells its own",
  async (t) => {
    const invocations = await pipeline.invocations();
    t.ok(invocations.length >= 24, `${invocations.length} invocations`);
    for (const { report } of invocations) {
      t.equal(report.initMs, null);
      t.equal(report.durationMs, Math.round(report.durationMs));
      t.equal(report.memoryMb, ORDERS_FUNCTION.memoryMb);
    }
    const figures = lambdaFigures(invocations);
    t.equal(figures.init_ms, null);
    t.ok((figures.own_init_ms ?? 0) > 1, `${figures.own_init_ms} ms by the function's own clock`);
    // Its Duration counts the making of the environment, which AWS tells apart.
    const [cold, warm] = [figures.cold.total_ms ?? 0, figures.warm.total_ms ?? 0];
    t.ok(cold - warm > (figures.own_init_ms ?? 0) / 2, `cold ${cold} ms, warm ${warm} ms`);
  },
);

t.test(
  "a failing event that Lambda itself has queued is tried three times, then dead-lettered",
  async (t) => {
    const before = (await pipeline.invocations()).length;
    const message = JSON.stringify({ no: "order", id: randomUUID() });
    const event = { Records: [{ Sns: { MessageId: randomUUID(), Message: message } }] };
    await pipeline.invokeLater(event);
    await waitFor("the dead letter", async () => (await pipeline.queue.depth()).deadLettered === 1, 60_000);
    t.equal((await pipeline.invocations()).length - before, 1 + ASYNC_RETRIES);
    const retries = (await pipeline.invocations()).slice(-ASYNC_RETRIES);
    t.match(retries, [{ coldStart: true }, { coldStart: true }], "a failure ends its environment");
    t.same(
      (await pipeline.queue.deadLetters(10)).map(({ body }) => body),
      [message],
      "what was published, of Lambda's record",
    );
  },
);

t.test("payments are out: what Lambda has given up on is redriven, and paid once", async (t) => {
  const since = await pipeline.ledgerEnd();
  const order = acceptOrder(anOrder(randomUUID()), randomUUID(), new Date().toISOString());
  const { body, attributes } = encodeOrder(order, "");
  const Sns = { MessageId: randomUUID(), Message: body, MessageAttributes: attributes };
  await pipeline.payments.stop(30);
  await pipeline.invokeLater({ Records: [{ Sns }] });
  await waitFor("the dead letter", async () => (await pipeline.queue.depth()).deadLettered === 2, 60_000);
  await pipeline.payments.start();
  t.same(await pipeline.queue.redrive(), { moved: 2 }, "the poison of before, too");
  await waitFor("the order", async () => (await pipeline.completed([order.order_id])) === 1, 30_000);
  const charges = await pipeline.api.chargesAfter(since);
  t.same(
    charges.map(({ order_id }) => order_id),
    [order.order_id],
  );
});

t.test(
  "MiniStack tries what SNS delivers once: a failing one is gone, where AWS would dead-letter it",
  async (t) => {
    const before = (await pipeline.invocations()).length;
    await using publisher = pipeline.publisher();
    await publisher.publish({ body: JSON.stringify({ no: "order" }), attributes: {} });
    await waitFor("the invocation", async () => (await pipeline.invocations()).length > before, 30_000);
    await untilElapsed(LONG_ENOUGH_MS);
    t.equal((await pipeline.invocations()).length - before, 1);
    t.equal((await pipeline.queue.depth()).deadLettered, 0);
  },
);

t.test("from the function to workers and back: every order is processed once, by one of them", async (t) => {
  const since = await pipeline.ledgerEnd();
  const invoked = (await pipeline.invocations()).length;
  const toFunction = await pipeline.acceptInTurns(20);
  await pipeline.allProcessedOnce(t, toFunction, since);

  await pipeline.receiveFor("workers");
  await pipeline.processor.start();
  const toWorkers = await pipeline.accept(20);
  await pipeline.allProcessedOnce(t, toWorkers, since);
  await pipeline.processor.stop(30);
  const queued = await pipeline.accept(5);

  await pipeline.receiveFor("lambda");
  t.match(await pipeline.deploy(), { change: /kept|updated/ });
  const back = await pipeline.acceptInTurns(20);
  await pipeline.allProcessedOnce(t, back, since);
  t.equal((await pipeline.queue.depth()).visible, 5, "what was queued for the workers waits for them");

  await pipeline.receiveFor("workers");
  await pipeline.processor.start();
  await pipeline.allProcessedOnce(t, queued, since);

  // Only now: what had come to both would have been begun again by the second of them, later.
  await queueIsEmpty();
  const all = [...toFunction, ...toWorkers, ...queued, ...back];
  await pipeline.allProcessedOnce(t, all, since);
  t.equal((await pipeline.api.chargesAfter(since)).length, all.length, "and no other");
  // The orders that went to it, and the check when it was deployed.
  const byFunction = toFunction.length + 1 + back.length;
  await invocationsReach(invoked + byFunction);
  t.equal((await pipeline.invocations()).length - invoked, byFunction, "none of the workers' went to it");
});

t.test("two subscribers at once would be seen", async (t) => {
  const since = await pipeline.ledgerEnd();
  const invoked = (await pipeline.invocations()).length;
  await pipeline.subscribeFunctionToo();
  const [id = ""] = await pipeline.accept(1);
  await waitFor("the second beginning", async () => (await pipeline.attempts(id)) === 2, 60_000);
  await invocationsReach(invoked + 1);
  await queueIsEmpty();
  t.equal((await pipeline.api.chargesAfter(since)).length, 1, "and it is paid once all the same");
});
