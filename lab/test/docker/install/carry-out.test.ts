/** Steps carried out for real, with harmless commands in the place of apt's. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { LabError } from "../../../src/cli/lab-error.ts";
import { type CarryOutOptions, carryOut } from "../../../src/docker/install/carry-out.ts";
import type { CommandStep, DaemonStep } from "../../../src/docker/install/plan.ts";

const linuxOnly = { skip: process.platform !== "linux" && "steps are for Debian and Ubuntu" };

function options(more: Partial<CarryOutOptions> = {}): CarryOutOptions {
  return {
    machine: { root: "/", launcher: [], env: process.env },
    sudo: false,
    interactive: false,
    signal: new AbortController().signal,
    onStep: () => {},
    ...more,
  };
}

const shell = (script: string, more: Partial<CommandStep> = {}): CommandStep => ({
  kind: "command",
  why: "",
  command: ["sh", "-c", script],
  env: {},
  timeout: 10_000,
  ...more,
});

t.test("files and commands in their order, with their variables", linuxOnly, async (t) => {
  const dir = t.testdir({});
  const path = join(dir, "file");
  const seen: number[] = [];
  const steps = [
    { kind: "file", why: "", path, content: "it's\n$HOME\n" } as const,
    shell(`cp "${path}" "${path}-2" && printf %s "$WORD" >>"${path}-2"`, { env: { WORD: "last" } }),
  ];
  t.equal(await carryOut(steps, options({ onStep: (_, index) => seen.push(index) })), undefined);
  t.equal(readFileSync(`${path}-2`, "utf8"), "it's\n$HOME\nlast");
  t.equal(statSync(path).mode & 0o777, 0o644);
  t.same(seen, [0, 1]);
});

t.test("the first failure ends it, with the warnings of the steps before it", linuxOnly, async (t) => {
  const path = join(t.testdir({}), "never");
  const steps = [
    shell("echo 'W: Failed to fetch http://x  Temporary failure resolving x' >&2; echo Reading..."),
    shell("echo E: Unable to locate package docker.io >&2; exit 100"),
    shell(`touch ${path}`),
  ];
  await t.rejects(carryOut(steps, options()), {
    code: "COMMAND_FAILED",
    message: /exit code 100/,
    reason: /cannot be reached/,
    detail: [/^W: Failed to fetch/, /^E: Unable to locate/],
  });
  t.notOk(existsSync(path));
});

t.test("another apt at work is waited for", linuxOnly, async (t) => {
  const tries = join(t.testdir({}), "tries");
  const script = `echo x >>${tries}; [ "$(wc -l <${tries})" -gt 1 ] || { echo "E: Could not get lock /var/lib/apt/lists/lock." >&2; exit 100; }`;
  await carryOut([shell(script)], options());
  t.equal(readFileSync(tries, "utf8"), "x\nx\n");
});

t.test("a command that takes too long is ended", linuxOnly, async (t) => {
  await t.rejects(carryOut([shell("exec sleep 600", { timeout: 200 })], options()), {
    code: "COMMAND_FAILED",
    message: /longer than 0.2 s/,
  });
});

t.test("an installation that is interrupted is asked to end, and ends in order", linuxOnly, async (t) => {
  const dir = t.testdir({});
  writeFileSync(
    join(dir, "install"),
    `trap 'echo asked >${dir}/asked; exit 130' INT; touch ${dir}/began; while :; do sleep 0.05; done`,
  );
  const controller = new AbortController();
  const command = ["sh", join(dir, "install"), "install"] as const;
  const running = carryOut([shell("", { command })], options({ signal: controller.signal }));
  await waitFor("the installation to begin", () => existsSync(join(dir, "began")));
  controller.abort(new LabError("INTERRUPTED", "Interrupted."));
  await t.rejects(running, { code: "INTERRUPTED", remedy: /dpkg --configure -a/ });
  t.ok(existsSync(join(dir, "asked")));
});

t.test("sudo that may not ask fails instead of waiting for a password", linuxOnly, async (t) => {
  const dir = t.testdir({
    sudo: '#!/bin/sh\necho "$@" >&2\necho "sudo: a password is required" >&2\nexit 1\n',
  });
  await carryOut([shell(`chmod +x ${dir}/sudo`)], options());
  const machine = {
    root: "/",
    launcher: [],
    env: { PATH: `${dir}:${process.env.PATH}`, https_proxy: "http://proxy" },
  };
  await t.rejects(carryOut([shell("true", { env: { A: "b" } })], options({ machine, sudo: true })), {
    code: "COMMAND_FAILED",
    reason: /sudo does not let/,
    detail: [/^--non-interactive --preserve-env=https_proxy A=b sh -c true$/, /password/],
  });
});

t.test("an engine that somebody else has started is not started twice", linuxOnly, async (t) => {
  const dir = t.testdir({ "docker.pid": `${process.pid}\n` });
  const step: DaemonStep = {
    kind: "daemon",
    why: "",
    command: ["touch", join(dir, "started")],
    log: join(dir, "log"),
    host: "unix:///nowhere.sock",
    pidFiles: [join(dir, "missing.pid"), join(dir, "docker.pid")],
  };
  t.equal(await carryOut([step], options()), undefined);
  t.notOk(existsSync(join(dir, "started")));
});
