import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { PermanentFailure } from "@parallax/messaging";
import { Cancelled, DependencyUnavailable } from "@parallax/service";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { httpPaymentProvider } from "../../src/adapters/http-payment-provider.ts";
import { HeldLedger, startPayments, type Test } from "../helpers.ts";

const request = { order_id: "o-1", amount_minor: 100, attempt: 1 };
const context = { signal: new AbortController().signal, traceparent: "00-trace" };

function provider(t: Test, url: string, timeoutSeconds = 5) {
  const it = httpPaymentProvider({ url, connections: 2, timeoutSeconds });
  t.teardown(() => it[Symbol.asyncDispose]());
  return it;
}

/** A provider that answers as `listener` does. */
async function fake(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test("a charge made, and the same one again", async (t) => {
  const { url, ledger } = await startPayments(t);
  const payments = provider(t, url);
  const charge = await payments.charge(request, context);
  t.match(charge, { order_id: "o-1", amount_minor: 100 });
  t.same(await payments.charge(request, context), charge);
  t.equal(ledger.entries.length, 1);
  await t.rejects(payments.charge({ ...request, amount_minor: 1 }, context), PermanentFailure);
});

t.test("what the provider answers decides whether waiting can help", async (t) => {
  let status = 0;
  let body = "";
  const payments = provider(
    t,
    await fake(t, (_request, response) => {
      response.writeHead(status).end(body);
    }),
  );
  for (const each of [408, 429, 500, 502, 503, 504, 302]) {
    status = each;
    await t.rejects(payments.charge(request, context), DependencyUnavailable, String(each));
  }
  for (const each of [400, 409, 422]) {
    status = each;
    await t.rejects(payments.charge(request, context), PermanentFailure, String(each));
  }
  status = 200;
  for (const each of ["", "<html>", "{}", "null", '{"charge_id":1}']) {
    body = each;
    await t.rejects(payments.charge(request, context), DependencyUnavailable, each || "(empty)");
  }
});

t.test("no answer, a cut answer and a late answer are an outage", async (t) => {
  const cut = await fake(t, (_request, response) => {
    response.writeHead(200, { "content-length": 100 }).write("{");
    setImmediate(() => response.destroy());
  });
  await t.rejects(provider(t, cut).charge(request, context), DependencyUnavailable);
  const silent = await fake(t, () => {});
  await t.rejects(provider(t, silent, 0.1).charge(request, context), DependencyUnavailable);
  const closed = await fake(t, () => {});
  const nobody = provider(t, closed.replace(/\d+$/, "1"));
  const error = await nobody.charge(request, context).catch((error: Error) => error);
  t.type(error, DependencyUnavailable);
  t.ok((error as Error).cause, "with its cause");
});

t.test("an abort is told as its reason, and the trace travels along", async (t) => {
  const abort = new AbortController();
  const seen: unknown[] = [];
  const url = await fake(t, (request) => {
    seen.push(request.headers.traceparent);
    abort.abort(new Error("lease lost"));
  });
  await t.rejects(provider(t, url).charge(request, { ...context, signal: abort.signal }), {
    message: "lease lost",
  });
  t.same(seen, ["00-trace"]);
});

t.test(
  "a cancellation, before and after the charge; the late charge is told apart from a refusal",
  async (t) => {
    const { url } = await startPayments(t);
    const payments = provider(t, url);
    t.match(await payments.cancel({ order_id: "o:1", attempt: 1 }, context), { status: "dropped" });
    await t.rejects(payments.charge({ ...request, order_id: "o:1" }, context), Cancelled);
    const charge = await payments.charge({ ...request, order_id: "o:1", attempt: 2 }, context);
    t.match(await payments.cancel({ order_id: "o:1", attempt: 2 }, context), { status: "charged", charge });
  },
);

t.test("a cancellation does not wait behind charges, and is bounded", async (t) => {
  const { url } = await startPayments(t, { ledger: new HeldLedger(), concurrency: 1 });
  const payments = httpPaymentProvider({ url, connections: 1, timeoutSeconds: 60 });
  const charges = [1, 2].map((n) => payments.charge({ ...request, order_id: `o-${n}` }, context));
  for (const charge of charges) charge.catch(() => {});
  const waiting = async () =>
    (await (await fetch(`${url}/ledger/summary`)).json()) as { in_progress: number };
  await waitFor("a charge to be under way", async () => (await waiting()).in_progress === 1);
  t.match(await payments.cancel({ order_id: "o-2", attempt: 1 }, context), { status: "dropped" });
  await payments[Symbol.asyncDispose]();
});

t.test("what is no cancellation is an outage; Retry-After is passed on", async (t) => {
  let body = "";
  let status = 200;
  const url = await fake(t, (_request, response) => {
    response.writeHead(status, { "retry-after": "7" }).end(body);
  });
  const payments = provider(t, url);
  for (const each of [
    "",
    "{}",
    '{"order_id":"o-2","status":"dropped"}',
    '{"order_id":"o-1","status":"lost"}',
  ]) {
    body = each;
    await t.rejects(payments.cancel({ order_id: "o-1", attempt: 1 }, context), DependencyUnavailable, each);
  }
  status = 503;
  const retry = { code: "DEPENDENCY_UNAVAILABLE", details: { retryAfterSeconds: 7 } };
  await t.rejects(payments.cancel({ order_id: "o-1", attempt: 1 }, context), retry);
  await t.rejects(payments.charge(request, context), retry);
});
