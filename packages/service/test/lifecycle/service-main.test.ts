import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import type { Test } from "../helpers.ts";

// Each waits for a process of its own, mostly idle: side by side they take a quarter of the time.
t.jobs = 8;

/** Eight processes that start at once on a busy machine take a while. */
const PATIENCE_MS = 60_000;

const fixture = fileURLToPath(new URL("../fixtures/service.ts", import.meta.url));

/** The fixture as a child process, which is gone when the test ends. */
function run(t: Test, env: Record<string, string>) {
  const child = spawn(process.execPath, [fixture], { env, stdio: ["ignore", "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  let out = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  let status: { readonly of: number | NodeJS.Signals | null } | undefined;
  child.on("close", (code, signal) => {
    status = { of: signal ?? code };
  });
  const lines = (): Record<string, unknown>[] =>
    out.split("\n").flatMap((line) => (line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line)] : []));
  const logged = (msg: string) => lines().find((line) => line.msg === msg);
  return {
    child,
    /** The exit code, or the signal that ended it. */
    ended: async () => (await waitFor("the end of the process", () => status, PATIENCE_MS)).of,
    errors: () => errors,
    lines,
    messages: () => lines().map(({ msg }) => msg),
    logged,
    until: (msg: string) => waitFor(`"${msg}" in the log`, () => logged(msg), PATIENCE_MS),
  };
}

t.test("a wrong configuration ends with 78 and lists everything that is wrong", async (t) => {
  const service = run(t, { MODE: "nonsense", PORT: "http", LOG_LEVEL: "loud" });
  t.equal(await service.ended(), 78);
  t.match(service.errors(), /^fixture: The configuration is not valid:\n/);
  for (const name of ["MODE", "PORT", "LOG_LEVEL"]) t.match(service.errors(), `\n  - ${name}: `);
  t.equal(service.errors().trimEnd().split("\n").length, 4, "and nothing else, such as a stack");
});

t.test("a signal drains: the request in flight is answered, releasers run in order, exit 0", async (t) => {
  const service = run(t, { MODE: "serve" });
  const { url } = (await service.until("started")) as { url: string };
  const slow = fetch(`${url}/slow`);
  await service.until("slow began");
  service.child.kill("SIGTERM");
  t.equal(await (await slow).text(), "slow but sure");
  t.equal(await service.ended(), 0);
  t.same(service.messages().slice(2), [
    "stopping",
    "releasing second",
    "request",
    "released first",
    "stopped",
  ]);
  t.match(service.logged("stopping"), { reason: "SIGTERM" });
  t.equal(service.errors(), "");
});

t.test("every line logged up to the end is written, however many there are", async (t) => {
  const service = run(t, { MODE: "serve", LINES: "20000" });
  await service.until("started");
  service.child.kill("SIGINT");
  t.equal(await service.ended(), 0);
  t.equal(service.lines().filter(({ msg }) => msg === "a line of many").length, 20_000);
  t.equal(service.messages().at(-1), "stopped");
});

for (const [first, second] of [
  ["SIGTERM", "SIGTERM"],
  ["SIGINT", "SIGINT"],
  ["SIGTERM", "SIGINT"],
  ["SIGINT", "SIGTERM"],
] as const) {
  t.test(`a second signal ends it at once with 1: ${first}, then ${second}`, async (t) => {
    const service = run(t, { MODE: "release-hangs", SHUTDOWN_GRACE_SECONDS: "600" });
    await service.until("started");
    service.child.kill(first);
    await service.until("releasing second");
    service.child.kill(second);
    t.equal(await service.ended(), 1);
    t.match(service.logged("second signal: ending at once"), { signal: second });
  });
}

t.test("a failed start ends with 1, its cause in the log, and releases what was there", async (t) => {
  const service = run(t, { MODE: "start-fails" });
  t.equal(await service.ended(), 1);
  t.match(service.lines()[0], { level: "fatal", reason: "start failed", err: { stack: /no database/ } });
  t.same(service.messages(), ["stopping after a failure", "released first", "stopped"]);
});

t.test("a start that throws instead of rejecting fails in the same way", async (t) => {
  const service = run(t, { MODE: "start-throws" });
  t.equal(await service.ended(), 1);
  t.match(service.lines()[0], { reason: "start failed", err: { message: "could not begin to start" } });
});

for (const [mode, until] of Object.entries({ "release-hangs": "started", "start-hangs": "hanging" })) {
  t.test(`when the grace ends it ends too, with 1: ${mode}`, async (t) => {
    const service = run(t, { MODE: mode, SHUTDOWN_GRACE_SECONDS: "1" });
    await service.until(until);
    service.child.kill("SIGTERM");
    t.equal(await service.ended(), 1);
    t.equal(service.messages().at(-1), "still not stopped when the grace period ended");
  });
}

t.test("a releaser that fails makes it 1, after the others have run", async (t) => {
  const service = run(t, { MODE: "release-fails" });
  await service.until("started");
  service.child.kill("SIGTERM");
  t.equal(await service.ended(), 1);
  t.match(service.logged("stopping failed"), { err: { message: /^Releasing second failed/ } });
  t.ok(service.logged("released first"));
});

t.test("a rejection that nobody handles stops it in order, with 1", async (t) => {
  const service = run(t, { MODE: "fail-later" });
  t.equal(await service.ended(), 1);
  t.match(service.logged("stopping after a failure"), {
    reason: "unhandled rejection",
    err: { message: /nobody/ },
  });
  t.ok(service.logged("released first"));
});

t.test("a failure while stopping is not swallowed: it is logged and the exit code is 1", async (t) => {
  const service = run(t, { MODE: "serve" });
  const { url } = (await service.until("started")) as { url: string };
  await (await fetch(`${url}/late-failure`)).text();
  service.child.kill("SIGTERM");
  t.equal(await service.ended(), 1);
  t.match(JSON.stringify(service.lines()), /failed while stopping/);
});

t.test("nobody reading its logs does not keep it from ending", async (t) => {
  const service = run(t, { MODE: "serve", LINES: "20000" });
  await service.until("started");
  service.child.stdout.destroy();
  service.child.kill("SIGTERM");
  t.type(await service.ended(), "number");
});
