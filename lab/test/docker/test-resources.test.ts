import { spawn } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import type Docker from "dockerode";
import t from "tap";
import {
  currentSession,
  mayBeAlive,
  sessionOf,
  sessionVariable,
  sweepTests,
  testLabel,
} from "../../src/docker/test-resources.ts";

const own = sessionOf(process.pid);
/** The pid is in use, by a process that was started at another time. */
const reused = own.replace(/[^/]*$/, "another start");
const elsewhere = "another-machine/its-boot.1/1/some start";
/** As of a container with the same name, or of this machine before it was started again. */
const sameName = `${hostname()}/another-boot.1/${process.pid}/some start`;

t.test("a session is alive as long as exactly its process is", async (t) => {
  t.ok(mayBeAlive(own));
  t.notOk(mayBeAlive(reused), "a pid alone names no process");
  t.ok(mayBeAlive(elsewhere), "another machine's sessions are not judged");
  t.ok(mayBeAlive(sameName), "nor is one with the same name");
  t.ok(mayBeAlive(""));
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  const session = sessionOf(child.pid as number);
  t.ok(mayBeAlive(session));
  child.kill("SIGKILL");
  await once(child, "exit");
  t.notOk(mayBeAlive(session));
});

t.test("the session is the command's where there is one, else this process", async (t) => {
  t.equal(currentSession({ [sessionVariable]: "given" }), "given");
  t.equal(currentSession({}), own);
});

t.test("only what is left by sessions that are gone is removed", async (t) => {
  const engine = fakeEngine([own, reused, elsewhere, ""]);
  t.same(await sweepTests(engine.client), { containers: 1, networks: 1, volumes: 1 });
  t.same(engine.removed, [`container ${reused}`, `network ${reused}`, `volume ${reused}`]);
  t.same(await sweepTests(engine.client), { containers: 0, networks: 0, volumes: 0 });
});

t.test("a session that has ended names itself", async (t) => {
  const engine = fakeEngine([own, reused]);
  t.same(await sweepTests(engine.client, own), { containers: 2, networks: 2, volumes: 2 });
});

t.test("what somebody else is removing is waited for, not counted", async (t) => {
  const engine = fakeEngine([reused]);
  engine.refuse(409, 404, 403, 404);
  t.same(await sweepTests(engine.client), { containers: 0, networks: 0, volumes: 1 });
});

t.test("another failure is told", async (t) => {
  const engine = fakeEngine([reused]);
  engine.refuse(500);
  await t.rejects(sweepTests(engine.client), new Error("refused"));
});

/** An engine with one container, one network and one volume of each session, which are named after it. */
function fakeEngine(sessions: readonly string[]) {
  const removed: string[] = [];
  let refusals: number[] = [];
  const things = (kind: string) =>
    sessions
      .filter((session) => !removed.includes(`${kind} ${session}`))
      .map((session) => ({ Id: session, Name: session, Labels: { [testLabel]: session } }));
  const get = (kind: string) => (session: string) => ({
    async remove() {
      const statusCode = refusals.shift();
      // 404: it has gone between listing and removing.
      if (statusCode === undefined || statusCode === 404) removed.push(`${kind} ${session}`);
      if (statusCode !== undefined) throw Object.assign(new Error("refused"), { statusCode });
    },
  });
  const client = {
    listContainers: async () => things("container"),
    listNetworks: async () => things("network"),
    listVolumes: async () => ({ Volumes: things("volume") }),
    getContainer: get("container"),
    getNetwork: get("network"),
    getVolume: get("volume"),
  };
  return {
    client: client as unknown as Docker,
    removed,
    /** The next removals are answered with these. */
    refuse: (...codes: number[]) => {
      refusals = codes;
    },
  };
}
