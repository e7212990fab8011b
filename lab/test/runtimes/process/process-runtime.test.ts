/** The process runtime on plans of its own: real processes, stand-in parts, every way in which things end badly. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { labPaths } from "../../../src/paths.ts";
import type { LabPlan, PartPlan } from "../../../src/runtimes/process/plan.ts";
import { ProcessRuntime } from "../../../src/runtimes/process/process-runtime.ts";
import { readState, sweep } from "../../../src/runtimes/process/state.ts";
import type { LabEvent, LabStatus } from "../../../src/runtimes/runtime.ts";
import { freePort } from "../../../src/util/ports.ts";
import { isAlive, isSame, startMark } from "../../../src/util/processes.ts";

const standIn = `
require("node:http").createServer((q, s) => s.end(process.env.COLOUR ?? "none")).listen(+process.argv[1], "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
if (process.env.COLOUR === "broken") { console.error("no such colour"); process.exit(7); }
`;
const silent = "console.error('waiting for nothing'); setInterval(() => {}, 1000)";
const runtimeUrl = new URL("../../../src/runtimes/process/process-runtime.ts", import.meta.url).href;

function part(name: string, kind: PartPlan["kind"], port: number, over: Partial<PartPlan> = {}): PartPlan {
  return {
    name,
    kind,
    command: process.execPath,
    args: ["-e", standIn, String(port)],
    cwd: "/",
    environment: { PATH: process.env.PATH ?? "" },
    port,
    portVariable: `${name.toUpperCase()}_PORT`,
    url: `http://127.0.0.1:${port}`,
    version: "1",
    probe: { type: "http", url: `http://127.0.0.1:${port}` },
    readyTimeout: 10_000,
    stopSignal: "SIGTERM",
    stopGrace: 3_000,
    dependsOn: kind === "service" ? ["engine"] : [],
    ...over,
  };
}

interface Setup {
  labDir: string;
  plan: LabPlan;
  runtime: ProcessRuntime;
  up(signal?: AbortSignal): Promise<LabStatus>;
}

async function setUp(t: Test, over: Partial<PartPlan> = {}): Promise<Setup> {
  // tap would remove its own test directory before the lab in it is stopped.
  const labDir = mkdtempSync(join(tmpdir(), "parallax-lab-"));
  const restarts = { firstDelay: 10, mostDelay: 50, mostDeaths: 3, window: 60_000 };
  const parts = [part("engine", "engine", await freePort()), part("shop", "service", await freePort(), over)];
  const plan: LabPlan = { profiles: ["orders"], parts, restarts };
  const runtime = new ProcessRuntime({
    labDir,
    source: { parts: () => plan.parts, prepare: async () => plan, endpoint: () => undefined },
  });
  t.teardown(async () => {
    await runtime.down();
    rmSync(labDir, { recursive: true, force: true });
  });
  const up = (signal = new AbortController().signal) =>
    runtime.up({ profiles: ["orders"], signal, onEvent: () => {} });
  return { labDir, plan, runtime, up };
}

const until = (what: string, condition: () => boolean | Promise<boolean>) => waitFor(what, condition, 15_000);

const pids = (labDir: string) =>
  readState(labPaths(labDir))?.parts.flatMap(({ process: mark }) => mark ?? []) ?? [];

/** `up` in a process of its own, to be killed. */
function upElsewhere({ labDir, plan }: Setup, t: Test): ChildProcess {
  const script = `
import { ProcessRuntime } from ${JSON.stringify(runtimeUrl)};
const plan = ${JSON.stringify(plan)};
const source = { parts: () => plan.parts, prepare: async () => plan, endpoint: () => undefined };
const stop = new AbortController();
process.on("SIGINT", () => stop.abort(new Error("interrupted")));
await new ProcessRuntime({ labDir: ${JSON.stringify(labDir)}, source })
  .up({ profiles: ["orders"], signal: stop.signal, onEvent: () => {} })
  .then(() => process.exit(0), () => process.exit(130));
`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  t.teardown(() => child.kill("SIGKILL"));
  return child;
}

t.test("up, status, logs, up again, down", async (t) => {
  const { runtime, up, labDir } = await setUp(t);
  t.equal((await runtime.status()).state, "stopped");
  const first = await up();
  t.equal(first.state, "running");
  t.equal((await up()).since, first.since, "a second up leaves the lab alone");
  const marks = pids(labDir);
  t.equal(marks.length, 2);
  const report = await runtime.down();
  t.match(report, { was_running: true, killed: [], swept: 0 });
  t.notOk(marks.some(isSame));
  t.equal((await runtime.status()).state, "stopped");
  t.equal((await runtime.down()).was_running, false);
});

t.test("a lab that runs is left as it is, and settings that it does not run with are told", async (t) => {
  const { labDir, plan, runtime, up } = await setUp(t, { environment: { COLOUR: "red", SIZE: "1" } });
  const wanted = { COLOUR: "red", SIZE: "1" };
  const source = {
    parts: () => plan.parts,
    variables: () => ({ shop: wanted }),
    prepare: async () => plan,
    endpoint: () => undefined,
  };
  const again = new ProcessRuntime({ labDir, source });
  async function told(): Promise<string[]> {
    const events: LabEvent[] = [];
    const signal = new AbortController().signal;
    await again.up({ profiles: ["orders"], signal, onEvent: (event) => events.push(event) });
    t.ok(events.every(({ kind }) => kind === "warn"));
    return events.map(({ text }) => text);
  }
  await up();
  t.same(await told(), [], "nothing has changed");
  Object.assign(wanted, { COLOUR: "blue", NEW: "a" });
  const [text, ...others] = await told();
  t.match(text, /^The lab runs with COLOUR=red, no NEW, other than .*"make down" and "make up"$/);
  t.same(others, [], "in one line");
  await runtime.configure("shop", { COLOUR: "green" });
  t.match(await told(), [/^The lab runs with no NEW,/], "what was changed while it runs is no setting");
  t.equal((await runtime.variables("shop", ["COLOUR"])).COLOUR, "green");
});

t.test(
  "a service is restarted, configured, stopped and started; a broken configuration is taken back",
  async (t) => {
    const { runtime, up, plan } = await setUp(t);
    const url = plan.parts[1]?.url ?? "";
    const colour = async () => (await fetch(url, { headers: { connection: "close" } })).text();
    await up();
    await runtime.kill("shop", "SIGKILL");
    await until("restart", async () => (await runtime.status()).state === "running");
    t.equal((await runtime.status()).parts[1]?.restarts, 1);
    await runtime.configure("shop", { COLOUR: "red" });
    t.equal(await colour(), "red");
    t.same((await runtime.status()).parts[1]?.overrides, { COLOUR: "red" });
    await t.rejects(runtime.configure("shop", { COLOUR: "broken" }), {
      code: "PART_FAILED",
      detail: /no such colour/,
    });
    t.equal(await colour(), "red");
    await runtime.configure("shop", {});
    t.equal(await colour(), "none");
    await runtime.kill("engine", "SIGKILL");
    t.match(await runtime.status(), { state: "degraded", parts: [{ state: "stopped" }] });
    await runtime.start("engine");
    t.equal((await runtime.status()).state, "running");
    await runtime.stop("shop");
    t.equal((await runtime.status()).parts[1]?.state, "stopped");
    await runtime.start("shop");
    await runtime.kill("shop", "SIGSTOP");
    t.equal((await runtime.status()).parts[1]?.state, "unhealthy");
    await runtime.kill("shop", "SIGCONT");
    await t.rejects(runtime.configure("engine", {}), { code: "NO_SUCH_PART" });
  },
);

t.test("usage tells what parts take, and nothing of those that do not run", async (t) => {
  const { runtime, up } = await setUp(t);
  t.same(await runtime.usage(), []);
  await up();
  const [engine, shop] = await runtime.usage();
  t.match(engine, { name: "engine", network_rx_bytes: null, network_tx_bytes: null });
  t.match(shop, { name: "shop", cpu_seconds: Number, memory_mb: Number });
  const [, later] = (await runtime.status()).parts;
  t.ok(Number(shop?.cpu_seconds) > 0 && Number(shop?.cpu_seconds) <= Number(later?.cpu_seconds));
  await runtime.stop("shop");
  t.match((await runtime.usage())[1], { name: "shop", cpu_seconds: null, memory_mb: null });
  await runtime.down();
  t.same(await runtime.usage(), []);
});

t.test("a lab whose LAB_DIR was removed is still found and stopped", async (t) => {
  const { runtime, up, labDir } = await setUp(t);
  await up();
  const marks = pids(labDir);
  rmSync(labDir, { recursive: true });
  t.equal((await runtime.status()).state, "running");
  t.equal((await runtime.down()).was_running, true);
  t.equal(marks.length, 2);
  t.notOk(marks.some(isSame));
});

t.test("a service that keeps dying is given up and the lab is degraded", async (t) => {
  const { runtime, up, labDir } = await setUp(t);
  await up();
  await until("given up", async () => {
    const [, shop] = readState(labPaths(labDir))?.parts ?? [];
    if (shop?.process) process.kill(shop.process.pid, "SIGKILL");
    return (await runtime.status()).parts[1]?.state === "failed";
  });
  t.equal((await runtime.status()).state, "degraded");
});

t.test("an engine that dies takes the lab down, and status says so", async (t) => {
  const { runtime, up, labDir } = await setUp(t);
  await up();
  const marks = pids(labDir);
  process.kill(marks[0]?.pid ?? 0, "SIGKILL");
  const seen = new Set<string>();
  await until("the lab is gone", async () => {
    const { state, failure } = await runtime.status();
    seen.add(state);
    if (state === "stopping") t.match(failure, { part: "engine" });
    return state === "failed" && !marks.some(isSame);
  });
  t.notOk(seen.has("starting"));
  t.match((await runtime.status()).failure, { part: "engine", what: /SIGKILL/ });
});

t.test("a log that cannot be moved aside does not end the lab", async (t) => {
  const { runtime, up, labDir } = await setUp(t);
  const { logs } = labPaths(labDir);
  await up();
  truncateSync(join(logs, "shop.log"), 17 * 2 ** 20);
  mkdirSync(join(logs, "shop.log.1"));
  await until("it was tried", () =>
    /log of shop cannot be bounded/.test(readFileSync(join(logs, "supervisor.log"), "utf8")),
  );
  t.equal((await runtime.status()).state, "running");
});

t.test("a part that never gets ready ends up with its log", async (t) => {
  const { up, labDir, runtime } = await setUp(t, { args: ["-e", silent], readyTimeout: 2_500 });
  await t.rejects(up(), { code: "PART_FAILED", message: /did not answer/, detail: ["waiting for nothing"] });
  t.notOk(existsSync(labPaths(labDir).state));
  t.equal((await runtime.status()).state, "stopped");
});

t.test("a program that is not there is named", async (t) => {
  const { up } = await setUp(t, { command: "/no/such/program" });
  await t.rejects(up(), { code: "PART_FAILED", message: /shop could not be run .*ENOENT/ });
});

t.test("a taken port: nothing is started, and the holder and the variable are named", async (t) => {
  const { up, plan, labDir } = await setUp(t);
  const port = plan.parts[1]?.port;
  const server = createServer().listen(port, "127.0.0.1");
  t.teardown(() => server.close());
  await until("listening", () => server.listening);
  await t.rejects(up(), { code: "PORT_TAKEN", remedy: /SHOP_PORT/, reason: /listens on/ });
  t.notOk(existsSync(labPaths(labDir).state));
});

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  t.test(`${signal} to the command in the middle of up leaves nothing`, async (t) => {
    const setup = await setUp(t, { args: ["-e", silent] });
    const command = upElsewhere(setup, t);
    await until("both parts run", () => pids(setup.labDir).length === 2);
    const marks = pids(setup.labDir);
    command.kill(signal);
    await until("all gone", () => !marks.some(isSame) && !existsSync(labPaths(setup.labDir).state));
    if (signal === "SIGINT") {
      await until("the command has ended", () => command.exitCode !== null);
      t.equal(command.exitCode, 130);
    }
    t.equal((await setup.runtime.status()).state, "stopped");
  });
}

t.test("SIGKILL to the supervisor leaves nothing, and up works again", async (t) => {
  const { runtime, up, labDir } = await setUp(t);
  await up();
  const marks = pids(labDir);
  process.kill(readState(labPaths(labDir))?.supervisor.pid ?? 0, "SIGKILL");
  await until("the guardian has ended all", () => !marks.some(isSame));
  t.match(await runtime.status(), { state: "failed", failure: { part: "supervisor" } });
  t.equal((await up()).state, "running");
});

t.test("two ups at once: one starts, the other one says so", async (t) => {
  const { up } = await setUp(t);
  const results = await Promise.allSettled([up(), up()]);
  t.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
  t.match(
    results.find(({ status }) => status === "rejected"),
    { reason: { code: "BUSY" } },
  );
});

t.test("a stale state file whose pids belong to others is swept without a signal", async (t) => {
  const { labDir, up } = await setUp(t);
  const paths = labPaths(labDir);
  const stranger = spawn(process.execPath, ["-e", silent], { stdio: "ignore" });
  t.teardown(() => stranger.kill("SIGKILL"));
  const pid = stranger.pid ?? 0;
  const stale = { pid, start: "another-boot:1" };
  const named = { name: "shop", kind: "service", port: 1, url: "", version: "", process: stale };
  const socket = `${labDir}/nobody.sock`;
  writeFileSync(
    paths.state,
    JSON.stringify({ supervisor: stale, socket, since: "", profiles: [], parts: [named] }),
  );
  t.ok(readState(paths));
  t.equal(await sweep(paths), 0);
  t.ok(isAlive(pid) && startMark(pid));
  t.equal((await up()).state, "running");
  t.notMatch(readFileSync(paths.state, "utf8"), /PATH/, "no environment is written down");
});
