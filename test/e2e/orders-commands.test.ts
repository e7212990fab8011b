/**
 * The commands that a person has for the orders' queue, as they are typed, on a lab without an emulator: depth, scale, dead
 * letters and their redrive.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { connectBullmq } from "@parallax/messaging";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { OrdersApi } from "../../lab/src/experiments/orders/orders-api.ts";
import { rootDir } from "../../lab/src/paths.ts";
import { lockExperiment } from "../../lab/src/runtimes/command-lock.ts";
import { portSettings, portVariables, type Settings } from "../../lab/src/settings.ts";
import { brokerAccess } from "../../lab/src/systems/orders/order-queue.ts";
import { childEnvironment, runCommand } from "../../lab/src/util/run-command.ts";
import { type OwnLab, ownLab } from "../lib/own-lab.ts";

// Two dozen starts of the command line, which are slow on a machine that does other things, too.
t.setTimeout(900_000);

const program = join(rootDir, "lab", "index.cjs");
const lab = await ownLab(t, {
  BROKER: "bullmq",
  PAYMENT_SECONDS: "0.05",
  PAYMENT_CONCURRENCY: "0",
  NUM_WORKERS: "4",
  // Of a message in the hands of a processor that is restarted, and between two receives of poison.
  VISIBILITY_TIMEOUT_SECONDS: "1",
});
const environment = environmentOf(lab.settings);

/** Variables that make the command line mean this lab. */
function environmentOf({ ports, labDir }: Settings): Record<string, string> {
  const moved = portVariables.map((name) => [name, String(ports[portSettings[name]])]);
  return {
    ...childEnvironment(process.env),
    ...Object.fromEntries(moved),
    LAB_DIR: labDir,
    RUNTIME: "process",
    PROFILE: "orders",
    BROKER: "bullmq",
  };
}

function run(args: readonly string[], extra: Record<string, string> = {}) {
  return runCommand(process.execPath, [program, ...args], {
    env: { ...environment, ...extra },
    timeout: 90_000,
  });
}

interface Line {
  state: string;
  broker: string | null;
  visible: number | null;
  dead_lettered: number | null;
}

/** Until it is ended; `lines` grows by what it prints. */
function watch(t: Test, lines: Line[]): ChildProcess {
  const child = spawn(process.execPath, [program, "queue-depth", "--json"], {
    env: environment,
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const whole = (rest + text).split("\n");
    rest = whole.pop() ?? "";
    lines.push(...whole.map((line) => JSON.parse(line) as Line));
  });
  return child;
}

function apiOf({ runtime }: OwnLab): OrdersApi {
  const [receiver, payments] = ["orders-receiver", "orders-payments"].map((part) => runtime.endpoint(part));
  return new OrdersApi({ receiver: receiver ?? "", payments: payments ?? "" });
}

async function takeOneThrough(t: Test): Promise<void> {
  await using api = apiOf(lab);
  const order_id = randomUUID();
  await api.placeOrder({ order_id, customer_id: "a", items: [{ product_id: "b", quantity: 1, price: 2 }] });
  const paid = async () => (await api.findOrder(order_id))?.status === "completed";
  await waitFor("the order to be paid", paid, 60_000);
  t.equal((await api.findCharge(order_id))?.amount_minor, 200, "an order is accepted, and paid");
}

t.test("the lab runs without an emulator, and says what its orders go through", async (t) => {
  const { code, stdout } = await run(["status", "--json"]);
  t.equal(code, 0);
  const status = JSON.parse(stdout) as { parts: { name: string }[]; orders: unknown };
  t.notOk(status.parts.some(({ name }) => name === "emulator"));
  t.same(status.orders, { broker: "bullmq", consumer: "workers" });
  t.match((await run(["status"])).stdout, /BullMQ on Redis to the processor's workers \(BROKER=bullmq/);
  await takeOneThrough(t);

  const up = await run(["up"], { BROKER: "sns-sqs" });
  t.equal(up.code, 6, "another broker is not left unsaid");
  t.match(up.stderr, /running with other settings[\s\S]*want emulator on port[\s\S]*make down/);
  const own = { NUM_WORKERS: "4", VISIBILITY_TIMEOUT_SECONDS: "1", PAYMENT_CONCURRENCY: "0" };
  const other = await run(["up"], { ...own, NUM_WORKERS: "8", PAYMENT_SECONDS: "0.05" });
  t.equal(other.code, 0, other.stderr);
  t.match(other.stderr, /runs with NUM_WORKERS=4, other than the settings.*"make down".*make scale/);
  t.notMatch((await run(["up"], { ...own, PAYMENT_SECONDS: "0.05" })).stderr, /other than the settings/);
});

t.test("queue-depth prints a line a second, and goes on while the broker is away", async (t) => {
  const { code, stdout } = await run(["queue-depth", "--for", "2"]);
  t.equal(code, 0);
  t.match(
    stdout,
    /^The orders' queue: BullMQ on Redis\nTIME [^\n]*\n\d\d:\d\d:\d\d [^\n]*\n\d\d:\d\d:\d\d [^\n]*\n$/,
  );

  const lines: Line[] = [];
  const child = watch(t, lines);
  const state = () => lines.at(-1)?.state;
  await waitFor("a reading", () => state() === "known", 30_000);
  t.match(lines.at(-1), { broker: "bullmq", visible: 0, dead_lettered: 0 });
  await lab.runtime.kill("redis", "SIGSTOP");
  await waitFor("a broker that does not answer to be told", () => state() === "broker-away", 30_000);
  t.match(lines.at(-1), { broker: "bullmq", visible: null });
  await lab.runtime.kill("redis", "SIGCONT");
  await waitFor("a reading again", () => state() === "known", 60_000);
  child.kill("SIGINT");
  t.same(await once(child, "exit"), [0, null], "Ctrl-C is how it ends");
});

t.test("scale changes the workers, keeps what else was changed, and says how long", async (t) => {
  await lab.runtime.configure("orders-processor", { LOG_LEVEL: "debug" });
  const { code, stdout, stderr } = await run(["scale", "--system", "orders", "--workers", "9"]);
  t.equal(code, 0, stderr);
  t.match(stdout, "orders-processor: 4 workers before, 9 now.");
  t.match(stdout, /NUM_WORKERS=9 in \.env/);
  const { parts, state } = await lab.runtime.status();
  t.equal(state, "running", "it waits until the part is healthy");
  const processor = parts.find(({ name }) => name === "orders-processor");
  t.same(processor?.overrides, { LOG_LEVEL: "debug", NUM_WORKERS: "9" });
  await takeOneThrough(t);

  const again = await run(["scale", "--system", "orders", "--workers", "9", "--json"]);
  t.same(JSON.parse(again.stdout), { part: "orders-processor", before: 9, after: 9 });
  const { parts: later } = await lab.runtime.status();
  t.equal(later.find(({ name }) => name === "orders-processor")?.pid, processor?.pid, "nothing is restarted");

  const up = await run(["up"]);
  t.match(up.stderr, /orders-processor is back to its settings; make scale/);
  t.same(await lab.runtime.variables("orders-processor", ["NUM_WORKERS"]), { NUM_WORKERS: "4" });
});

t.test("nothing is changed under an experiment", async (t) => {
  const experiment = lockExperiment(lab.settings.labDir);
  for (const args of [["scale", "--system", "orders", "--workers", "2"], ["redrive"]]) {
    const { code, stderr } = await run(args);
    t.equal(code, 6, stderr);
    t.match(stderr, /An experiment is running on this lab/);
  }
  experiment.release();
  t.same(await lab.runtime.variables("orders-processor", ["NUM_WORKERS"]), { NUM_WORKERS: "4" });
});

t.test("dead letters are counted and sent back; poison comes round again", async (t) => {
  const none = await run(["redrive"]);
  t.equal(none.code, 0);
  t.equal(none.stdout, "There are no dead letters.\n");

  const access = await brokerAccess(lab.runtime);
  if (access.kind !== "bullmq") throw new Error("The lab was started with BROKER=bullmq.");
  await using broker = connectBullmq({ ...access, visibilitySeconds: 1, maxReceiveCount: 5 });
  const dead = async () => (await broker.depth()).deadLettered;
  for (let n = 0; n < 3; n += 1) await broker.publish({ body: `no order ${n}`, attributes: {} });
  await waitFor("three dead letters", async () => (await dead()) === 3, 60_000);
  const depth = await run(["queue-depth", "--for", "1", "--json"]);
  t.match(JSON.parse(depth.stdout), { state: "known", dead_lettered: 3 });

  // Frozen, so that what is sent back is seen on the queue.
  await lab.runtime.stop("orders-processor");
  const one = await run(["redrive", "--limit", "1", "--json"]);
  t.same(JSON.parse(one.stdout), { there: 3, moved: 1, left: 2 });
  const rest = await run(["redrive"]);
  t.match(rest.stdout, "2 dead letters there, 2 moved back to the queue, 0 left.");
  t.match(await broker.depth(), { visible: 3, deadLettered: 0 });
  await lab.runtime.start("orders-processor");
  await waitFor("three dead letters again", async () => (await dead()) === 3, 60_000);
  await takeOneThrough(t);
});

t.test("a lab that is down is said to be, and watching goes on into the next one", async (t) => {
  const lines: Line[] = [];
  const child = watch(t, lines);
  await waitFor("a reading", () => lines.at(-1)?.state === "known", 30_000);
  const down = await run(["down"]);
  t.equal(down.code, 0, down.stderr);
  await waitFor("a lab that is down", () => lines.at(-1)?.state === "lab-down", 30_000);
  for (const args of [["scale", "--system", "orders", "--workers", "2"], ["redrive"]]) {
    const { code, stderr } = await run(args);
    t.equal(code, 3, stderr);
    t.match(stderr, /The lab is not running[\s\S]*make up/);
  }
  const never = await run(["queue-depth"]);
  t.match([never.code, never.stdout], [3, ""], "a lab that was not there to begin with is not waited for");
  const up = await run(["up"]);
  t.equal(up.code, 0, up.stderr);
  await waitFor("a reading of the new lab", () => lines.at(-1)?.state === "known", 30_000);
  t.match(lines.at(-1), { dead_lettered: 3 }, "Redis keeps its data");
  child.kill("SIGTERM");
  await once(child, "exit");
});
