/** `lab engine` as a person meets it, with an engine and a docker command that only say their versions. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { rootDir } from "../../src/paths.ts";
import { childEnvironment, runCommand } from "../../src/util/run-command.ts";

const linuxOnly = { skip: process.platform !== "linux" && "the engine's socket is a file" };

/** @returns the address of an engine that answers every question with its version */
async function engineThatAnswers(t: Test, version: string): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "parallax-engine-"));
  const socket = join(dir, "s");
  const server = createServer((_, answer) => {
    answer.setHeader("content-type", "application/json").end(JSON.stringify({ Version: version }));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.teardown(() => {
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return `unix://${socket}`;
}

function lab(t: Test, host: string, docker: string, env: Record<string, string> = {}) {
  const dir = t.testdir({ docker: `#!/bin/sh\n${docker}\n` });
  chmodSync(join(dir, "docker"), 0o755);
  return runCommand(process.execPath, [join(rootDir, "lab", "index.cjs"), "engine"], {
    env: { ...childEnvironment(process.env), PATH: `${dir}:${process.env.PATH}`, DOCKER_HOST: host, ...env },
  });
}

const complete = `case "$1" in compose) echo 2.26.1-4 ;; buildx) echo "github.com/docker/buildx 0.13.1 0.13.1" ;; esac`;

t.test("an engine that can be used is left alone", linuxOnly, async (t) => {
  const host = await engineThatAnswers(t, "26.1.5");
  const { code, stdout, stderr } = await lab(t, host, complete);
  t.equal(stdout, "");
  t.match(stderr, /engine 26\.1\.5 at unix:.*Compose 2\.26\.1-4, buildx 0\.13\.1: nothing to do/);
  t.equal(code, 0);
});

t.test("another engine than the usual one is not replaced behind its owner's back", linuxOnly, async (t) => {
  // Even when it is agreed to beforehand.
  const env = { CI: "true", YES: "1" };
  const silent = await lab(t, "unix:///nowhere/docker.sock", "exit 1", env);
  t.match(silent, { code: 5, stdout: "", stderr: /no engine at unix:\/\/\/nowhere/i });
  const old = await lab(t, await engineThatAnswers(t, "20.10.24"), complete, env);
  t.match(old, { code: 5, stdout: "", stderr: /20\.10\.24/ });
  t.match(await lab(t, "nonsense", complete, env), { code: 5, stdout: "", stderr: /is no address/ });
});
