/** Nothing stays on the engine: neither after a crash of the tests nor after Ctrl-C. What a living session has made stays. */

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { requireEngine } from "../../lab/src/docker/engine.ts";
import { sessionOf, sessionVariable, sweepTests, testLabel } from "../../lab/src/docker/test-resources.ts";
import { rootDir } from "../../lab/src/paths.ts";

const { client } = await requireEngine();
const fixture = join("test", "lib", "leave-behind.ts");

t.test("what a killed session has left is swept, what a living one has is not", async (t) => {
  const [dead, living] = await Promise.all([leaveBehind(t), leaveBehind(t)]);
  t.same(await countOf(dead.session), { containers: 1, networks: 1, volumes: 1 });
  dead.child.kill("SIGKILL");
  await once(dead.child, "exit");
  t.same(await countOf(dead.session), { containers: 1, networks: 1, volumes: 1 }, "a kill leaves all behind");
  await sweepTests(client);
  t.same(await countOf(dead.session), { containers: 0, networks: 0, volumes: 0 });
  t.same(await countOf(living.session), { containers: 1, networks: 1, volumes: 1 });
  await sweepTests(client, living.session);
  t.same(
    await countOf(living.session),
    { containers: 0, networks: 0, volumes: 0 },
    "unless it says it is done",
  );
});

t.test("two sweeps at once do not get in each other's way", async (t) => {
  const dead = await leaveBehind(t);
  dead.child.kill("SIGKILL");
  await once(dead.child, "exit");
  await t.resolves(Promise.all([sweepTests(client), sweepTests(client), sweepTests(client)]));
  t.same(await countOf(dead.session), { containers: 0, networks: 0, volumes: 0 });
});

t.test("Ctrl-C ends the tests, and nothing of theirs is left", async (t) => {
  const run = await runThatHangs(t);
  // The terminal sends it to everybody in the foreground.
  process.kill(-run.pid, "SIGINT");
  t.equal(await run.exit, 130);
  t.same(await countOf(run.session), { containers: 0, networks: 0, volumes: 0 });
});

t.test("so does a SIGTERM to the command alone", async (t) => {
  const run = await runThatHangs(t);
  process.kill(run.pid, "SIGTERM");
  t.equal(await run.exit, 143);
  t.same(await countOf(run.session), { containers: 0, networks: 0, volumes: 0 });
  // A process that were still alive in the group would be found by this.
  await waitFor("its processes to be gone", () => !isGroupAlive(run.pid));
});

t.test("without an engine it says so, and exits with 5", async (t) => {
  const child = spawn(process.execPath, ["lab", "test-integration"], {
    cwd: rootDir,
    env: { ...withoutSession(), DOCKER_HOST: "unix:///nowhere/docker.sock" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code] = await once(child, "close");
  t.equal(code, 5);
  t.match(said, /needs? a Docker engine/);
  t.match(said, /make test/);
});

/** A process that is a session by itself, with all of its things made. */
async function leaveBehind(t: Test): Promise<{ child: ChildProcess; session: string }> {
  const alias = `left-${randomUUID().slice(0, 8)}`;
  const child = spawn(process.execPath, [fixture], {
    cwd: rootDir,
    env: { ...withoutSession(), LEAVE_BEHIND: alias },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const session = sessionOf(child.pid as number);
  // Healthy by then, so that nothing of it is still being made when it is killed.
  await once(child.stdout, "data");
  return { child, session };
}

/** `lab test-integration` with a suite that never ends, once its container is there. */
async function runThatHangs(t: Test): Promise<{ pid: number; session: string; exit: Promise<number> }> {
  const labDir = await mkdtemp(join(tmpdir(), "parallax-sweep-"));
  t.teardown(() => rm(labDir, { recursive: true, force: true }));
  const alias = `left-${randomUUID().slice(0, 8)}`;
  // A record and logs of its own: the run that this belongs to is writing to the usual ones.
  const env = { ...withoutSession(), LAB_DIR: labDir, LEAVE_BEHIND: alias };
  const child = spawn(process.execPath, ["lab", "test-integration", fixture], {
    cwd: rootDir,
    env,
    stdio: "ignore",
    // A group of its own, as a shell makes it for a command.
    detached: true,
  });
  const pid = child.pid as number;
  t.teardown(() => isGroupAlive(pid) && process.kill(-pid, "SIGKILL"));
  const exit = once(child, "exit").then(([code]) => code as number);
  const session = await waitFor("the suite's container", () => sessionWith(alias), 60_000);
  return { pid, session, exit };
}

async function countOf(session: string) {
  const filters = { label: [`${testLabel}=${session}`] };
  const [containers, networks, { Volumes }] = await Promise.all([
    client.listContainers({ all: true, filters }),
    client.listNetworks({ filters }),
    client.listVolumes({ filters }),
  ]);
  return { containers: containers.length, networks: networks.length, volumes: Volumes.length };
}

async function sessionWith(alias: string): Promise<string | undefined> {
  const containers = await client.listContainers({ all: true, filters: { label: [testLabel] } });
  return containers.find(({ Names }) => Names.some((name) => name.endsWith(alias)))?.Labels[testLabel];
}

function withoutSession(): NodeJS.ProcessEnv {
  return { ...process.env, [sessionVariable]: undefined };
}

function isGroupAlive(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
}
