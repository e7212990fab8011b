/** What containers take: read from the kernel, asked of the engine, and through the lives of their parts. */
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { requireEngine } from "../../../lab/src/docker/engine.ts";
import { currentSession, testLabel } from "../../../lab/src/docker/test-resources.ts";
import { OrdersApi } from "../../../lab/src/experiments/orders/orders-api.ts";
import { ContainerMeter, noUsage } from "../../../lab/src/runtimes/compose/container-meter.ts";
import { findContainers, listContainers } from "../../../lab/src/runtimes/compose/containers.ts";
import { usageOf } from "../../../lab/src/runtimes/process/usage.ts";
import type { PartUsage } from "../../../lab/src/runtimes/runtime.ts";
import { Cgroups } from "../../../lab/src/util/cgroups.ts";
import { processTable } from "../../../lab/src/util/processes.ts";
import { ownComposeLab } from "../../lib/own-compose-lab.ts";

t.setTimeout(300_000);

const { client } = await requireEngine();
const lab = await ownComposeLab(t);
const { runtime, settings } = lab;
const project = settings.composeProject;
const parts = ["emulator", "postgres", "redis", "orders-payments", "orders-processor", "orders-receiver"];
/** The usual one, which reads the kernel's files where the engine is on this machine; and one that cannot. */
const meter = new ContainerMeter();
const asking = new ContainerMeter(new Cgroups("/nowhere"));

async function usage(part: string): Promise<PartUsage> {
  const found = (await runtime.usage()).find(({ name }) => name === part);
  if (!found) throw new Error(`there is no ${part}`);
  return found;
}

/** Runs until the test ends: a busy loop, or what `over` says. */
async function container(t: Test, over: { Cmd?: string[]; HostConfig?: object } = {}) {
  const [redis] = (await listContainers(client, project)).filter(({ name }) => name === "redis");
  const made = await client.createContainer({
    Image: redis?.inspected.Config.Image ?? "",
    Entrypoint: [],
    Cmd: ["sh", "-c", "while :; do :; done"],
    Labels: { [testLabel]: currentSession() },
    ...over,
  });
  t.teardown(() => made.remove({ force: true, v: true }).catch(() => {}));
  await made.start();
  return made;
}

t.test("a lab that was never started takes nothing", async (t) => {
  t.same(await runtime.usage(), []);
});

t.test("each part's usage, in the order of the status, with which it agrees", async (t) => {
  await lab.up();
  const [usages, status] = [await runtime.usage(), await runtime.status()];
  t.same(
    usages.map(({ name }) => name),
    parts,
  );
  for (const [at, part] of status.parts.entries()) {
    const { name, cpu_seconds, memory_mb, network_rx_bytes, network_tx_bytes, throttled_seconds } = usages[
      at
    ] ?? { name: "nothing", ...noUsage };
    t.equal(name, part.name);
    t.ok(
      (cpu_seconds ?? 0) > 0 && (cpu_seconds ?? 0) <= (part.cpu_seconds ?? 0),
      `${name}: ${cpu_seconds} s`,
    );
    t.ok((memory_mb ?? 0) > 0, `${name}: ${memory_mb} MB`);
    t.ok(
      (network_rx_bytes ?? -1) >= 0 && (network_tx_bytes ?? -1) >= 0,
      `${name}: ${network_rx_bytes} bytes`,
    );
    t.ok((throttled_seconds ?? -1) >= 0, "all have a quota");
  }
});

t.test("the engine tells the same as the kernel", async (t) => {
  for (const { name, handle } of await findContainers(client, project)) {
    const [first, told, last] = [
      await meter.read(handle),
      await asking.read(handle),
      await meter.read(handle),
    ];
    for (const counter of [
      "cpu_seconds",
      "network_rx_bytes",
      "network_tx_bytes",
      "throttled_seconds",
    ] as const) {
      const [low, value, high] = [first[counter], told[counter], last[counter]].map(Number);
      t.ok(Number(low) <= Number(value) && Number(value) <= Number(high), `${name} ${counter}: ${value}`);
    }
    const apart = Math.abs((told.memory_mb ?? 0) - (last.memory_mb ?? 0));
    t.ok(apart <= 8, `${name}: ${told.memory_mb} MB, ${last.memory_mb} MB`);
  }
});

t.test("bytes of requests are counted where they come in and go out", async (t) => {
  const before = await usage("orders-receiver");
  await using orders = OrdersApi.of(runtime);
  // More than a kilobyte each.
  const items = Array(20).fill({ product_id: "p".repeat(60), quantity: 1, price: 2.5 });
  for (let at = 0; at < 20; at += 1) {
    await orders.placeOrder({ order_id: `usage-${at}`, customer_id: "test", items });
  }
  const after = await usage("orders-receiver");
  const [received, sent] = [
    Number(after.network_rx_bytes) - Number(before.network_rx_bytes),
    Number(after.network_tx_bytes) - Number(before.network_tx_bytes),
  ];
  t.ok(received > 20_000 && received < 2_000_000, `${received} bytes received`);
  t.ok(sent > 20_000 && sent < 2_000_000, `${sent} bytes sent: the orders go on to the emulator`);
  t.ok(Number(after.cpu_seconds) > Number(before.cpu_seconds));
});

t.test("a container that its quota holds back is seen to be", async (t) => {
  const busy = await container(t, { HostConfig: { NanoCpus: 100_000_000 } });
  await waitFor("a second of it", async () => Number((await meter.read(busy)).throttled_seconds) > 1);
  const { cpu_seconds, throttled_seconds } = await meter.read(busy);
  // Of a tenth of a processor: nine tenths of the time.
  t.ok(
    Number(throttled_seconds) > 3 * Number(cpu_seconds),
    `${cpu_seconds} s, held back ${throttled_seconds} s`,
  );
  t.ok(
    Number((await asking.read(busy)).throttled_seconds) >= Number(throttled_seconds),
    "the engine says so, too",
  );
  const { Pid, Running } = (await busy.inspect()).State;
  const cgroups = new Cgroups();
  if (cgroups.of(Pid)?.memory.includes(busy.id)) {
    const asProcess = usageOf(await processTable(), Pid, cgroups);
    t.ok(Number(asProcess.throttled_seconds) >= Number(throttled_seconds), "and so does its process");
    t.equal(asProcess.network_rx_bytes, null, "which cannot tell its network");
  } else t.ok(Running, "its process is not on this machine");
});

t.test(
  "without a quota there is nothing to hold it back; in the machine's network none is its own",
  async (t) => {
    const HostConfig = { NetworkMode: "host" };
    const free = await container(t, { Cmd: ["sleep", "600"], HostConfig });
    for (const each of [meter, asking]) {
      const read = await each.read(free);
      t.ok(Number(read.cpu_seconds) > 0);
      t.match(read, { throttled_seconds: null, network_rx_bytes: null, network_tx_bytes: null });
    }
  },
);

t.test("what has ended or was removed takes nothing, what runs again is seen again", async (t) => {
  const handle = await container(t, { Cmd: ["sleep", "600"] });
  const meters = [meter, asking];
  for (const each of meters) t.ok(Number((await each.read(handle)).cpu_seconds) > 0);
  await handle.kill();
  await handle.wait();
  for (const each of meters) t.same(await each.read(handle), noUsage);
  await handle.start();
  for (const each of meters) t.ok(Number((await each.read(handle)).cpu_seconds) > 0);
  await handle.remove({ force: true, v: true });
  for (const each of [...meters, new ContainerMeter()]) t.same(await each.read(handle), noUsage);
});

t.test("a part that was killed takes nothing until it is started", async (t) => {
  await runtime.kill("redis", "SIGKILL");
  t.same(await usage("redis"), { name: "redis", ...noUsage });
  t.ok(Number((await usage("postgres")).cpu_seconds) > 0, "the others go on");
  await runtime.start("redis");
  t.ok(Number((await usage("redis")).cpu_seconds) > 0);
});

t.test("a part in a new container is found, and so is one whose container is missing", async (t) => {
  await runtime.configure("orders-processor", { NUM_WORKERS: "3" });
  await waitFor("its new container", async () => (await usage("orders-processor")).cpu_seconds !== null);
  const [processor] = (await findContainers(client, project)).filter(
    ({ name }) => name === "orders-processor",
  );
  await processor?.handle.remove({ force: true });
  t.same(await usage("orders-processor"), { name: "orders-processor", ...noUsage });
  t.equal((await runtime.usage()).length, parts.length);
});

t.test("a lab that was stopped takes nothing", async (t) => {
  await runtime.down();
  await waitFor("nothing to be there", async () => (await runtime.usage()).length === 0);
  t.same((await runtime.status()).parts, []);
});
