/** What the orders pipeline promises, told on containers: the same on every broker. Faults are told apart. */

import { randomUUID } from "node:crypto";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { acceptOrder } from "../../services/orders/src/domain/order.ts";
import { encodeOrder } from "../../services/orders/src/domain/order-message.ts";
import { TRACEPARENT } from "./faults/deliveries.ts";
import { shuffled } from "./faults/shuffled.ts";
import { anOrder, spread, Witness } from "./faults/witness.ts";
import { MAX_RECEIVE_COUNT, type OrdersPipeline, ordersServices } from "./orders-pipeline.ts";

/** Adds the stories to `t`, one subtest each. Everything runs before and after. */
export function pipelineStories(t: Test, pipeline: OrdersPipeline): void {
  const { api, operator, publisher, services } = pipeline;

  t.test("orders are accepted, completed and paid once", async (t) => {
    const witness = await Witness.begin(pipeline);
    const ids = await witness.accept(50);
    const count = await witness.holds(t, "none");
    t.equal(count.completed, ids.length);
    t.equal(count.dead_lettered, 0);
  });

  t.test("each order five times, by two ways and out of order, is charged once", async (t) => {
    const seed = Number(process.env.FAULT_SEED ?? 20_261);
    t.comment(`FAULT_SEED=${seed}`);
    const witness = await Witness.begin(pipeline);
    const ids = Array.from({ length: 20 }, () => randomUUID());
    const place = async (id: string) => void (await witness.place(id));
    const direct = (id: string) => {
      const order = acceptOrder(anOrder(id), id, new Date().toISOString());
      return publisher.publish(encodeOrder(order, TRACEPARENT));
    };
    const sends = [place, place, direct, direct, direct].flatMap((send) => ids.map((id) => () => send(id)));
    await spread(shuffled(sends, seed), 10, (send) => send());
    const count = await witness.holds(t, "duplicates-out-of-order");
    t.equal(count.accepted, ids.length);
    t.equal(count.charges, ids.length);
    t.ok(count.begun_again >= 4 * ids.length, "every copy was delivered");
  });

  t.test("a message that is no order is dead-lettered after exactly maxReceiveCount receives", async (t) => {
    const witness = await Witness.begin(pipeline);
    const before = await pipeline.failedDeliveries();
    const body = JSON.stringify({ no: "order", id: randomUUID() });
    await publisher.publish({ body, attributes: { note: "kept" } });
    await witness.accept(20);
    const dead = () => waitFor("the dead letter", async () => (await witness.deadLetters()) === 1, 30_000);
    await dead();
    t.equal((await pipeline.failedDeliveries()) - before, MAX_RECEIVE_COUNT);
    const count = await witness.holds(t, "poison");
    t.equal(count.completed, 20, "healthy orders passed it");

    t.same(await operator.redrive(), { moved: 1 });
    await waitFor(
      "it to be tried again",
      async () => {
        return (await pipeline.failedDeliveries()) - before === 2 * MAX_RECEIVE_COUNT;
      },
      30_000,
    );
    await dead();
    t.match(await operator.deadLetters(10), [{ body, attributes: { note: "kept" } }]);
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
}
