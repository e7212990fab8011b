/** What the orders pipeline promises, told on containers: the same on every emulator. */

import { randomUUID } from "node:crypto";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import {
  anOrder,
  MAX_RECEIVE_COUNT,
  type OrdersPipeline,
  ordersServices,
  VISIBILITY_SECONDS,
} from "./orders-pipeline.ts";

/** Adds the stories to `t`, one subtest each. Everything runs before and after. */
export function pipelineStories(t: Test, pipeline: OrdersPipeline): void {
  const { api, broker, services } = pipeline;

  t.test("orders are accepted, completed and paid once", async (t) => {
    const since = await pipeline.ledgerEnd();
    const ids = await pipeline.accept(50);
    await pipeline.allPaidOnce(t, ids, since);
    await waitFor("an empty queue", async () => {
      const { visible, inFlight } = await broker.depth();
      return visible + inFlight === 0;
    });
    t.equal((await broker.depth()).deadLettered, 0);
  });

  t.test("an order that is sent five times is charged once", async (t) => {
    const since = await pipeline.ledgerEnd();
    const ids = Array.from({ length: 5 }, () => randomUUID());
    const sent = [...ids, ...ids, ...ids, ...ids, ...ids];
    await Promise.all(sent.map((id) => api.placeOrder(anOrder(id))));
    await pipeline.allPaidOnce(t, ids, since);
    await waitFor("all copies to be handled", async () => {
      const { visible, inFlight } = await broker.depth();
      return visible + inFlight === 0;
    });
    t.equal((await api.chargesAfter(since)).length, ids.length);
  });

  t.test("a message that is no order is dead-lettered after exactly maxReceiveCount receives", async (t) => {
    const before = await pipeline.failedDeliveries();
    const body = JSON.stringify({ no: "order", id: randomUUID() });
    await broker.publish({ body, attributes: {} });
    await waitFor("the dead letter", async () => (await broker.depth()).deadLettered === 1, 30_000);
    t.equal((await pipeline.failedDeliveries()) - before, MAX_RECEIVE_COUNT);
    t.match(await broker.deadLetters(10), [{ body }]);
  });

  t.test("bad requests are answered 4xx and name the field", async (t) => {
    const good = anOrder(randomUUID());
    const [item] = good.items;
    const cases: [title: string, body: unknown, status: number, field?: string][] = [
      ["no JSON", "{", 400],
      ["no customer", { ...good, customer_id: undefined }, 422, "customer_id"],
      ["no items", { ...good, items: [] }, 422, "items"],
      ["a negative quantity", { ...good, items: [{ ...item, quantity: -1 }] }, 422, "quantity"],
      ["a price in words", { ...good, items: [{ ...item, price: "much" }] }, 422, "price"],
      ["an id with a path in it", { ...good, order_id: "../../etc" }, 422, "order_id"],
      ["an unknown field", { ...good, discount: 1 }, 422, "discount"],
    ];
    for (const [title, body, status, field] of cases) {
      const answer = await pipeline.post(body);
      t.equal(answer.status, status, title);
      t.equal(answer.headers.get("content-type"), "application/problem+json", title);
      const problem = await answer.text();
      if (field) t.ok(problem.includes(field), `${title}: ${problem}`);
    }
    t.equal(await api.findOrder(good.order_id), undefined);
  });

  t.test("the services' containers have no rights that they do not need", async (t) => {
    for (const name of ordersServices) {
      const { HostConfig, Config, NetworkSettings } = await services[name].inspect();
      t.match(
        HostConfig,
        { ReadonlyRootfs: true, Privileged: false, PidsLimit: /^[1-9]\d*$/, Memory: /^[1-9]\d*$/ },
        name,
      );
      t.same(HostConfig.CapDrop, ["ALL"], name);
      t.same(HostConfig.CapAdd ?? [], [], name);
      t.match(HostConfig.SecurityOpt, ["no-new-privileges:true"], name);
      t.same(Object.keys(HostConfig.Tmpfs ?? {}), ["/tmp"], name);
      t.same(HostConfig.Mounts ?? [], [], name);
      t.match(Config.User, /^1000(:1000)?$/, name);
      const addresses = Object.values(NetworkSettings.Ports).flatMap((bindings) => bindings ?? []);
      t.ok(addresses.length > 0 && addresses.every(({ HostIp }) => HostIp === "127.0.0.1"), name);
      // Held against what it is allowed to do, not only against what it was asked for.
      const script = `
        const tried = (path) => { try { require("fs").writeFileSync(path, ""); return true } catch { return false } };
        console.log(JSON.stringify({ uid: process.getuid(), root: tried("/x"), own: tried("/app/x"), tmp: tried("/tmp/x"),
          capabilities: /CapEff:\\s*(\\w+)/.exec(require("fs").readFileSync("/proc/self/status", "utf8"))[1] }))`;
      const { output } = await services[name].exec(["node", "-e", script]);
      t.same(
        JSON.parse(output),
        { uid: 1000, root: false, own: false, tmp: true, capabilities: "0000000000000000" },
        name,
      );
    }
  });

  t.test(
    "the processor is killed in the middle and started again: nothing is lost or paid twice",
    async (t) => {
      const since = await pipeline.ledgerEnd();
      const ids = await pipeline.accept(100);
      await waitFor("some to be completed", async () => (await pipeline.completed(ids)).length > 10);
      await services["orders-processor"].kill();
      const done = (await pipeline.completed(ids)).length;
      t.ok(done < ids.length, `it was killed in the middle: ${done} of ${ids.length} were completed`);
      await services["orders-processor"].start();
      await pipeline.allPaidOnce(t, ids, since);
    },
  );

  t.test("payments are stopped and come back: orders wait, none is dead-lettered", async (t) => {
    const since = await pipeline.ledgerEnd();
    const { deadLettered } = await broker.depth();
    t.equal((await services["orders-payments"].stop(30)).exitCode, 0);
    const ids = await pipeline.accept(30);
    const began = performance.now();
    // By then, an order that is delivered in vain each time would be in the dead-letter queue.
    const longEnough = (MAX_RECEIVE_COUNT * VISIBILITY_SECONDS + 1) * 1000;
    await waitFor("a long outage", () => performance.now() - began > longEnough, longEnough * 2);
    await services["orders-payments"].start();
    await pipeline.allPaidOnce(t, ids, since);
    t.equal((await broker.depth()).deadLettered, deadLettered);
  });

  t.test("Postgres is stopped and comes back: orders are accepted all the same", async (t) => {
    const since = await pipeline.ledgerEnd();
    const before = await pipeline.accept(20);
    const { exitCode } = await pipeline.postgres.stop(15);
    t.equal(exitCode, 0);
    const meanwhile = await pipeline.accept(20);
    t.equal((await fetch(`${pipeline.receiverUrl}/orders/${meanwhile[0]}`)).status, 503);
    await pipeline.postgres.start();
    await pipeline.allPaidOnce(t, [...before, ...meanwhile], since);
  });

  t.test(
    "the emulator is cut off from the network and comes back: nothing acknowledged is lost",
    async (t) => {
      const since = await pipeline.ledgerEnd();
      const before = await pipeline.accept(40);
      await pipeline.emulator.container.disconnect();
      const unknown = randomUUID();
      const answer = await pipeline.post(anOrder(unknown));
      t.equal(answer.status, 503);
      t.match(answer.headers.get("retry-after"), /^\d+$/);
      t.match(await answer.json(), { retryable: true, order_id: unknown });
      await pipeline.emulator.container.reconnect();
      const [after] = await waitFor("an order to be accepted again", () => pipeline.accept(1), 60_000);
      // As the answer asks. The kernel may have delivered the first one after all, once the network was back.
      await api.placeOrder(anOrder(unknown));
      await pipeline.allPaidOnce(t, [...before, after as string, unknown], since);
    },
  );

  t.test("each service stops in order when it is asked to: exit code 0 within its grace", async (t) => {
    const since = await pipeline.ledgerEnd();
    const ids = await pipeline.accept(60);
    for (const name of ["orders-processor", "orders-receiver", "orders-payments"] as const) {
      const { Config } = await services[name].inspect();
      const grace = Number(
        Config.Env.find((line) => line.startsWith("SHUTDOWN_GRACE_SECONDS="))?.split("=")[1],
      );
      const { exitCode, seconds } = await services[name].stop(grace + 5);
      t.equal(exitCode, 0, name);
      t.ok(seconds < grace, `${name} took ${seconds.toFixed(1)} s of its ${grace} s`);
    }
    await Promise.all(ordersServices.map((name) => services[name].start()));
    await pipeline.allPaidOnce(t, ids, since);
  });
}
