/** Starting a daemon and waiting for it, with a small server in the place of dockerd. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { LabError } from "../../../src/cli/lab-error.ts";
import { untilItAnswers } from "../../../src/docker/install/ensure-engine.ts";
import type { DaemonStep } from "../../../src/docker/install/plan.ts";
import type { StepRunner } from "../../../src/docker/install/run-step.ts";
import { startDaemon, stopDaemon } from "../../../src/docker/install/start-daemon.ts";

const linuxOnly = { skip: process.platform !== "linux" && "daemons are started on Debian and Ubuntu only" };

/** Answers as an engine of that version does. */
const server = (socket: string, version: string) =>
  `require("node:http").createServer((_, answer) => answer.setHeader("content-type", "application/json") && answer.end(JSON.stringify({ Version: "${version}" }))).listen("${socket}", () => console.log("listening"))`;

function setUp(t: Test, command: (socket: string) => DaemonStep["command"]) {
  // Not in the repository: a socket's path may not be long.
  const dir = mkdtempSync(join(tmpdir(), "parallax-daemon-"));
  const socket = join(dir, "s");
  const controller = new AbortController();
  const runner: StepRunner = {
    machine: { root: "/", launcher: [], env: process.env },
    sudo: false,
    interactive: false,
    signal: controller.signal,
  };
  const step: DaemonStep = {
    kind: "daemon",
    why: "",
    command: command(socket),
    log: join(dir, "log"),
    host: `unix://${socket}`,
    pidFiles: [],
  };
  const start = async () => {
    const daemon = await startDaemon(step, runner);
    t.teardown(() => stopDaemon(daemon, runner));
    return daemon;
  };
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return { dir, socket, controller, runner, step, start };
}

t.test("it answers, outlives the call, writes its log, and is stopped", linuxOnly, async (t) => {
  const { runner, step, start } = setUp(t, (socket) => [process.execPath, "-e", server(socket, "26.1.5")]);
  const daemon = await start();
  await untilItAnswers(process.env, runner, daemon, 10_000);
  t.ok(daemon.alive());
  t.match(readFileSync(step.log, "utf8"), /listening/);
  await stopDaemon(daemon, runner);
  t.notOk(daemon.alive());
});

t.test("one that ends right away is explained by its log of this start alone", linuxOnly, async (t) => {
  const { runner, start } = setUp(t, () => [
    "sh",
    "-c",
    'echo "failed to start daemon: $$: Devices cgroup isn\'t mounted"; exit 1',
  ]);
  const first = await start();
  await waitFor("it to end", () => !first.alive());
  const again = await start();
  await t.rejects(untilItAnswers(process.env, runner, again, 10_000), {
    code: "COMMAND_FAILED",
    message: /ended right after its start/,
    reason: /control groups/,
    remedy: /Its log is .*log/,
  });
  t.equal(again.logTail().length, 1);
});

t.test("one that never answers is ended", linuxOnly, async (t) => {
  const { runner, start } = setUp(t, () => ["sleep", "600"]);
  const daemon = await start();
  await t.rejects(untilItAnswers(process.env, runner, daemon, 300), {
    code: "COMMAND_FAILED",
    message: /does not answer after 0.3 s/,
  });
  t.notOk(daemon.alive());
});

t.test("an interruption while waiting ends it", linuxOnly, async (t) => {
  const { dir, runner, controller, start } = setUp(t, (socket) => [
    "sh",
    "-c",
    `touch ${socket}-began; exec sleep 600`,
  ]);
  const daemon = await start();
  const waiting = untilItAnswers(process.env, runner, daemon, 10_000);
  await waitFor("the daemon to run", () => existsSync(join(dir, "s-began")));
  controller.abort(new LabError("INTERRUPTED", "Interrupted."));
  await t.rejects(waiting);
  t.notOk(daemon.alive());
});

t.test("an old engine in the way is said to be one", linuxOnly, async (t) => {
  const { runner, start } = setUp(t, (socket) => [process.execPath, "-e", server(socket, "20.10.24")]);
  const daemon = await start();
  await t.rejects(untilItAnswers(process.env, runner, daemon, 10_000), {
    code: "PREREQUISITE_MISSING",
    reason: /20\.10\.24/,
  });
});
