/** The lab in containers, from nothing to nothing. */
import { readFile } from "node:fs/promises";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { requireEngine } from "../../../lab/src/docker/engine.ts";
import { currentSession, testLabel } from "../../../lab/src/docker/test-resources.ts";
import { OrdersApi } from "../../../lab/src/experiments/orders/orders-api.ts";
import { ComposeRuntime } from "../../../lab/src/runtimes/compose/compose-runtime.ts";
import { listContainers } from "../../../lab/src/runtimes/compose/containers.ts";
import type { LogLine } from "../../../lab/src/runtimes/runtime.ts";
import { listBelongings, ownComposeLab } from "../../lib/own-compose-lab.ts";

t.setTimeout(900_000);

/** Until what was killed or thawed is back, on a machine that others use, too. */
const BACK_MS = 60_000;

const { client } = await requireEngine();
const lab = await ownComposeLab(t, { VISIBILITY_TIMEOUT_SECONDS: "5", PAYMENT_SECONDS: "0.2" });
const { runtime, settings } = lab;
const project = settings.composeProject;
const testLabels = { [testLabel]: currentSession() };
const engines = ["emulator", "postgres", "redis"];
const services = ["orders-payments", "orders-processor", "orders-receiver"];

function api(): OrdersApi {
  return OrdersApi.of(runtime);
}

const order = (order_id: string) => ({
  order_id,
  customer_id: "test",
  items: [{ product_id: "p", quantity: 1, price: 2.5 }],
});

async function containerOf(part: string) {
  const container = (await listContainers(client, project)).find(({ name }) => name === part);
  if (!container) throw new Error(`there is no ${part}`);
  return container;
}

async function logLines(parts: string[]): Promise<LogLine[]> {
  const signal = AbortSignal.timeout(10_000);
  return await Array.fromAsync(runtime.logs({ parts, follow: false, tail: 200, signal }));
}

t.test("nothing runs at first", async (t) => {
  t.match(await runtime.status(), { runtime: "compose", state: "stopped", parts: [] });
  t.match(await runtime.down(), { was_running: false, killed: [], swept: 0 });
  await t.rejects(runtime.kill("redis", "SIGKILL"), { code: "NOT_RUNNING", remedy: /make up/ });
});

t.test("up starts every part, tells of each, and waits until it is healthy", async (t) => {
  const events = await lab.up();
  const status = await runtime.status();
  t.equal(status.state, "running");
  t.same(
    status.parts.map(({ name }) => name),
    [...engines, ...services],
  );
  for (const { name, url, memory_mb, cpu_seconds, container, version } of status.parts) {
    t.ok(
      events.some(({ kind, text }) => kind === "done" && text.startsWith(`${name} answers at ${url}`)),
      name,
    );
    t.ok(
      (memory_mb ?? 0) > 0 && (cpu_seconds ?? 0) > 0,
      `${name} takes ${memory_mb} MB and ${cpu_seconds} s`,
    );
    t.match(container, /^[0-9a-f]{12}$/);
    t.match(version, /:/, "names its image");
  }
});

t.test("the engine has made what the files ask for", async (t) => {
  for (const { name, kind, inspected } of await listContainers(client, project)) {
    const { HostConfig, Config, NetworkSettings } = inspected;
    const addresses = Object.values(NetworkSettings.Ports).flatMap((list) => list ?? []);
    t.ok(
      addresses.every(({ HostIp }) => HostIp === "127.0.0.1"),
      `${name} is published on this machine alone`,
    );
    t.ok(HostConfig.Memory && HostConfig.NanoCpus && HostConfig.PidsLimit, `${name} is limited`);
    t.match(HostConfig.SecurityOpt, ["no-new-privileges:true"]);
    if (kind === "engine") continue;
    t.match(Config.User, "1000:1000");
    t.match(HostConfig, {
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      Privileged: false,
      RestartPolicy: { Name: "unless-stopped" },
    });
  }
});

t.test("an order goes all the way", async () => {
  await using orders = api();
  await orders.placeOrder(order("all-the-way"));
  await waitFor(
    "its completion",
    async () => (await orders.findOrder("all-the-way"))?.status === "completed",
  );
});

t.test("a second up leaves the containers alone", async (t) => {
  const before = (await listContainers(client, project)).map(({ inspected }) => inspected.Id);
  const { since } = await runtime.status();
  await lab.up();
  t.same(
    (await listContainers(client, project)).map(({ inspected }) => inspected.Id),
    before,
  );
  t.equal((await runtime.status()).since, since);
});

t.test("configure restarts one service with other variables, and back", async (t) => {
  const others = (await containerOf("orders-receiver")).inspected.Id;
  await runtime.configure("orders-processor", { NUM_WORKERS: "3" });
  const environment = async () => (await containerOf("orders-processor")).inspected.Config.Env;
  t.ok((await environment()).includes("NUM_WORKERS=3"));
  const shown = (await runtime.status()).parts.find(({ name }) => name === "orders-processor");
  t.same(shown?.overrides, { NUM_WORKERS: "3" });
  await runtime.configure("orders-processor", {});
  t.ok((await environment()).includes("NUM_WORKERS=20"));
  t.equal((await containerOf("orders-receiver")).inspected.Id, others, "nothing else was touched");
});

t.test("a configuration that a service cannot run with is taken back, and its log is shown", async (t) => {
  const error = await runtime
    .configure("orders-processor", { NUM_WORKERS: "many" })
    .catch((thrown) => thrown);
  t.match(error, { code: "PART_FAILED", message: /orders-processor exited with code 78/ });
  t.match(error.detail.join(), /NUM_WORKERS: must be a whole number/);
  t.match(await runtime.status(), { state: "running" });
  t.ok((await containerOf("orders-processor")).inspected.Config.Env.includes("NUM_WORKERS=20"));
  await t.rejects(runtime.configure("redis", { A: "1" }), { code: "NO_SUCH_PART" });
});

t.test("a killed service is started again, a killed engine is not", async (t) => {
  const before = (await containerOf("orders-payments")).inspected.State.StartedAt;
  await runtime.kill("orders-payments", "SIGKILL");
  await waitFor(
    "payments to be back",
    async () => {
      const { inspected, state } = await containerOf("orders-payments");
      return state === "running" && inspected.State.StartedAt !== before;
    },
    BACK_MS,
  );
  await runtime.kill("redis", "SIGKILL");
  t.match(await runtime.status(), { state: "degraded" });
  t.equal((await containerOf("redis")).state, "stopped");
  await runtime.start("redis");
  t.match(await runtime.status(), { state: "running" });
});

t.test("a service that dies by itself is started again by the engine", async (t) => {
  const { inspected } = await containerOf("orders-receiver");
  // The container's first process is an init; its child is the service.
  const child = (
    await readFile(`/proc/${inspected.State.Pid}/task/${inspected.State.Pid}/children`, "utf8")
  ).trim();
  process.kill(Number(child), "SIGKILL");
  await waitFor(
    "the receiver to be back",
    async () => {
      const { inspected, state } = await containerOf("orders-receiver");
      return state === "running" && inspected.RestartCount === 1;
    },
    BACK_MS,
  );
  const receiver = (await runtime.status()).parts.find(({ name }) => name === "orders-receiver");
  t.equal(receiver?.restarts, 1, "which the status counts");
});

t.test("a frozen part is unhealthy until it is thawed", async (t) => {
  await runtime.kill("orders-payments", "SIGSTOP");
  t.equal((await containerOf("orders-payments")).state, "unhealthy");
  t.match(await runtime.status(), { state: "degraded" });
  await runtime.kill("orders-payments", "SIGCONT");
  const running = async () => (await runtime.status()).state === "running";
  await waitFor("it to be healthy again", running, BACK_MS);
});

t.test("stop is orderly, and holds until start", async (t) => {
  await runtime.stop("orders-processor");
  const { inspected, state } = await containerOf("orders-processor");
  t.equal(state, "stopped");
  t.equal(inspected.State.ExitCode, 0);
  await runtime.start("orders-processor");
  t.match(await runtime.status(), { state: "running" });
});

t.test("logs name their part; what does not exist is told", async (t) => {
  const lines = await logLines(["orders-receiver"]);
  t.ok(lines.some(({ line }) => line.includes('"msg":"started"')));
  t.ok(lines.every(({ part }) => part === "orders-receiver"));
  t.ok((await logLines([])).some(({ part }) => part === "postgres"));
  await t.rejects(logLines(["nobody"]), { code: "NO_SUCH_PART", remedy: /orders-receiver/ });
});

t.test("a log is followed until the reader has enough", async (t) => {
  const enough = new AbortController();
  const seen: string[] = [];
  await using orders = api();
  const reading = (async () => {
    const options = { parts: ["orders-processor"], follow: true, tail: 0, signal: enough.signal };
    for await (const { line } of runtime.logs(options)) seen.push(line);
  })();
  await waitFor("an order's line", async () => {
    await orders.placeOrder(order(`followed-${seen.length}-${Date.now()}`));
    return seen.some((line) => line.includes("order processed"));
  });
  enough.abort();
  await reading;
  t.pass("the stream ended");
});

t.test("a followed log goes on in the next life of its part", async (t) => {
  const enough = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    const options = { parts: ["orders-payments"], follow: true, tail: 0, signal: enough.signal };
    for await (const { line } of runtime.logs(options)) seen.push(line);
  })();
  for (let life = 1; life <= 2; life += 1) {
    await runtime.kill("orders-payments", "SIGKILL");
    await waitFor(
      "its start in the log",
      () => seen.filter((line) => line.includes('"msg":"started"')).length === life,
      BACK_MS,
    );
  }
  await runtime.configure("orders-payments", { LOG_LEVEL: "debug" });
  await waitFor(
    "the start of its next container",
    () => seen.filter((line) => line.includes('"msg":"started"')).length === 3,
    BACK_MS,
  );
  await runtime.configure("orders-payments", {});
  enough.abort();
  await reading;
  t.equal(new Set(seen).size, seen.length, "no line came twice");
});

t.test("up heals a lab whose engine has died and whose services have become unhealthy for it", async (t) => {
  await runtime.kill("postgres", "SIGKILL");
  await waitFor(
    "the receiver to be unhealthy",
    async () => (await containerOf("orders-receiver")).state === "unhealthy",
    BACK_MS,
  );
  await runtime.kill("orders-payments", "SIGSTOP");
  await lab.up();
  t.match(await runtime.status(), { state: "running" });
});

t.test("what it runs on is described, image by image", async (t) => {
  const { images, versions, engine } = await runtime.describe();
  t.same(Object.keys(images ?? {}).sort(), [...engines, ...services].sort());
  for (const [part, { reference, id }] of Object.entries(images ?? {})) {
    t.match(reference, /:/, part);
    t.equal((await containerOf(part)).inspected.Image, id, "which is the image that runs");
  }
  t.match(versions.docker, /^\d+\./);
  t.match(versions.compose, /^\d+\./);
  t.ok((engine?.cpus ?? 0) > 0 && (engine?.memory_mb ?? 0) > 0);
});

t.test("another lab does not get at this one by the same project's name", async (t) => {
  const { settings: elsewhere } = await ownComposeLab(t);
  const other = new ComposeRuntime({ ...elsewhere, composeProject: project });
  const refusal = {
    code: "OTHER_LAB_RUNNING",
    reason: new RegExp(settings.labDir),
    remedy: /COMPOSE_PROJECT_NAME/,
  };
  const options = { profiles: settings.profiles, signal: AbortSignal.timeout(60_000), onEvent: () => {} };
  await t.rejects(other.up(options), refusal);
  await t.rejects(other.down(), refusal);
  t.match(await runtime.status(), { state: "running" }, "which goes on");
});

t.test("a lab is found under the name that it was started with", async (t) => {
  const renamed = new ComposeRuntime({ ...settings, composeProject: `${project}-renamed` });
  t.match(await renamed.status(), { state: "running" });
  const options = { profiles: settings.profiles, signal: AbortSignal.timeout(60_000), onEvent: () => {} };
  await t.rejects(renamed.up(options), {
    code: "OTHER_LAB_RUNNING",
    remedy: new RegExp(`back to ${project}`),
  });
  // A container of somebody else's in the lab's network is put out of it, not a reason to fail.
  const Image = (await containerOf("redis")).inspected.Config.Image;
  const guest = await client.createContainer({
    name: `${project}-guest`,
    Image,
    Cmd: ["sleep", "600"],
    Labels: testLabels,
  });
  t.teardown(() => guest.remove({ force: true, v: true }));
  await guest.start();
  await client.getNetwork(`${project}_default`).connect({ Container: guest.id });
  t.match(await renamed.down(), { was_running: true });
  t.match(await runtime.status(), { state: "stopped" });
  t.same((await listBelongings(client, project)).networks, []);
  await lab.up();
});

t.test("another lab does not get at this one's data by the same project's name", async (t) => {
  await runtime.down();
  const { settings: elsewhere } = await ownComposeLab(t);
  const other = new ComposeRuntime({ ...elsewhere, composeProject: project });
  const options = { profiles: settings.profiles, signal: AbortSignal.timeout(60_000), onEvent: () => {} };
  await t.rejects(other.up(options), { code: "OTHER_LAB_RUNNING", reason: new RegExp(settings.labDir) });
  await other.removeData();
  t.ok((await listBelongings(client, project)).volumes.includes(`${project}_postgres-data`), "which stays");
  await lab.up();
});

t.test("down leaves nothing but data, which the next up finds", async (t) => {
  const report = await runtime.down();
  t.match(report, { was_running: true, killed: [] });
  t.same(await listContainers(client, project), []);
  const left = await listBelongings(client, project);
  t.same(left.networks, []);
  t.ok(left.volumes.includes(`${project}_postgres-data`));
  await lab.up();
  await using orders = api();
  t.match(await orders.findOrder("all-the-way"), { status: "completed" });
  await runtime.down();
  await runtime.removeData();
  t.same((await listBelongings(client, project)).volumes, []);
});
