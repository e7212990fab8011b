/** Each finding, with what it finds planted: engines, programs and settings that are not there. */
import { chmodSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type Docker from "dockerode";
import t, { type Test } from "tap";
import { LabError } from "../../src/cli/lab-error.ts";
import type { EngineFinding } from "../../src/docker/engine.ts";
import { checkMachine } from "../../src/doctor/checks.ts";
import type { EngineInfo } from "../../src/doctor/engine.ts";
import type { Examination } from "../../src/doctor/examination.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { backingImages, nodeBase } from "../../src/images/catalogue.ts";
import { serviceReference } from "../../src/images/service-image.ts";
import { rootDir } from "../../src/paths.ts";
import type { PartStatus } from "../../src/runtimes/runtime.ts";
import { portVariables, profiles, type RuntimeName, settingsFromEnv } from "../../src/settings.ts";
import { freePort } from "../../src/util/ports.ts";

const silent: EngineFinding = {
  usable: false,
  host: "unix:///nowhere.sock",
  state: "silent",
  reason: "There is no engine at unix:///nowhere.sock.",
  remedy: "Install one.",
};

interface Planted {
  info?: EngineInfo;
  images?: readonly string[];
  containers?: readonly unknown[];
  host?: string;
}

/** An engine with these images and containers, which answers at once. */
function engine({
  info = {},
  images = [],
  containers = [],
  host = "unix:///planted.sock",
}: Planted = {}): EngineFinding {
  const client = {
    info: async () => ({ DockerRootDir: "/", Driver: "overlay2", ...info }),
    listContainers: async () => containers,
    getImage: (reference: string) => ({
      inspect: async () => {
        if (images.includes(reference)) return { Id: "sha256:1", Size: 1 };
        throw Object.assign(new Error("no such image"), { statusCode: 404 });
      },
    }),
  };
  return { usable: true, engine: { client: client as unknown as Docker, host, version: "26.1.5" } };
}

interface Given extends Partial<Omit<Examination, "settings" | "status">> {
  env?: Record<string, string>;
  parts?: readonly Partial<PartStatus>[];
  /** Content of .env. */
  dotEnv?: string;
}

/** The findings by the name of their check, on ports that are free unless told otherwise. */
async function findings(
  t: Test,
  { env = {}, parts = [], dotEnv, ...given }: Given,
): Promise<Map<string, Finding>> {
  const runtime: RuntimeName = given.runtime ?? (given.engine?.usable ? "compose" : "process");
  const bin = t.testdir({ docker: "#!/bin/sh\n", npm: "#!/bin/sh\n", ".env": dotEnv ?? "" });
  for (const name of ["docker", "npm"]) chmodSync(join(bin, name), 0o755);
  const ports = await freePorts();
  const list = await checkMachine({
    settings: settingsFromEnv({ LAB_DIR: join(bin, "lab"), ...ports, ...env }, "/"),
    root: dotEnv === undefined ? rootDir : bin,
    status: {
      runtime,
      state: parts.length > 0 ? "running" : "stopped",
      profiles: [],
      since: null,
      parts: parts as PartStatus[],
    },
    runtime,
    because: "planted.",
    path: bin,
    engine: silent,
    compose: async () => "2.26.1",
    docker: async () => ({ code: 0, stdout: "github.com/docker/buildx 0.13.1 0.13.1", stderr: "" }),
    ...given,
  });
  t.equal(new Set(list.map(({ check }) => check)).size, list.length, "each check has a name of its own");
  for (const { check, state, fix } of list) {
    t.ok(state !== "fail" || fix !== undefined, `${check} says how to mend it`);
  }
  return new Map(list.map((finding) => [finding.check, finding]));
}

async function freePorts(): Promise<Record<string, string>> {
  return Object.fromEntries(
    await Promise.all(portVariables.map(async (name) => [name, String(await freePort())])),
  );
}

t.test("no engine: the process runtime, which is no fault", async (t) => {
  const found = await findings(t, {});
  t.match(found.get("runtime"), { state: "ok", found: "make up uses process (planted)" });
  t.match(found.get("engine"), {
    state: "warn",
    found: /no engine.*make up uses the process runtime/i,
    fix: "Install one.",
  });
  t.notOk(found.has("engine disk"));
  t.notOk(found.has("image redis"));
});

t.test("no engine, but RUNTIME=compose, or a lab that was started on it", async (t) => {
  const asked = await findings(t, { env: { RUNTIME: "compose" }, runtime: "compose" });
  t.match(asked.get("engine"), { state: "fail", found: silent.reason, fix: "Install one." });
  const left = await findings(t, { runtime: "compose" });
  t.match(left.get("engine"), { state: "fail" });
  const process = await findings(t, { env: { RUNTIME: "process" } });
  t.match(process.get("engine"), { state: "ok", found: /only RUNTIME=compose needs it/, fix: undefined });
});

t.test("an engine here, rootless, without limits, on vfs, in Docker Desktop, far away", async (t) => {
  const plain = await findings(t, { engine: engine() });
  t.match(plain.get("engine"), { state: "ok", found: "26.1.5 at unix:///planted.sock" });
  t.notOk(plain.has("engine limits"));
  t.notOk(plain.has("engine storage"));

  const poor = {
    SecurityOptions: ["name=rootless"],
    MemoryLimit: false,
    CpuCfsQuota: false,
    PidsLimit: true,
    Driver: "vfs",
  };
  const rootless = await findings(t, { engine: engine({ info: poor }) });
  t.match(rootless.get("engine"), { state: "ok", found: /rootless/ });
  t.match(rootless.get("engine limits"), { state: "warn", found: /memory and CPU limits/, fix: /Delegate/ });
  t.match(rootless.get("engine storage"), { state: "warn", found: /vfs/ });

  const small = { OperatingSystem: "Docker Desktop", MemTotal: 2 ** 30 };
  const desktop = await findings(t, { engine: engine({ info: small }) });
  t.match(desktop.get("engine"), { state: "ok", found: /Docker Desktop/ });
  t.match(desktop.get("engine disk"), { state: "ok", found: /not seen from here/ });
  t.match(desktop.get("engine memory"), {
    state: "warn",
    found: "1.0 GiB in the engine's own machine",
    fix: /at least 2\.5 GiB/,
  });

  const far = await findings(t, { engine: engine({ host: "tcp://10.0.0.1:2375" }) });
  t.match(far.get("engine"), { state: "warn", found: /another machine/, fix: /DOCKER_HOST/ });
});

t.test("Compose and buildx: missing, too old", async (t) => {
  const good = await findings(t, { engine: engine() });
  t.match(good.get("compose"), { state: "ok", found: "2.26.1" });
  t.match(good.get("buildx"), { state: "ok", found: "0.13.1" });
  const compose = async () => {
    throw new LabError("PREREQUISITE_MISSING", "Docker Compose 2.1.0 is too old.", {
      reason: "Needs 2.24.",
      remedy: "Renew it.",
    });
  };
  const docker = async () => ({ code: 1, stdout: "", stderr: "docker: 'buildx' is not a docker command." });
  const bad = await findings(t, { engine: engine(), compose, docker });
  t.match(bad.get("compose"), { state: "fail", found: /2\.1\.0 is too old\. Needs 2\.24/, fix: "Renew it." });
  t.match(bad.get("buildx"), { state: "warn", found: /missing/, fix: /make engine/ });
  const without = await findings(t, { engine: engine(), path: "" });
  t.match(without.get("compose"), {
    state: "fail",
    found: /docker command is not on PATH/,
    fix: /make engine/,
  });
  const process = await findings(t, { env: { RUNTIME: "process" }, compose, docker });
  t.match(process.get("compose"), { state: "ok", found: /only RUNTIME=compose needs it/ });
});

t.test("images: official, packaged, named, none", async (t) => {
  const { redis, postgres, nats, localstack } = backingImages;
  const services = profiles.map((system) => serviceReference(rootDir, system));
  const images = [redis.official, redis.packaged, postgres.packaged, "mirror/nats:1", ...services];
  const some = await findings(t, { engine: engine({ images }), env: { NATS_IMAGE: "mirror/nats:1" } });
  t.match(some.get("image redis"), { state: "ok", found: redis.official });
  t.match(some.get("image postgres"), { state: "ok", found: `${postgres.packaged}, built from packages` });
  t.match(some.get("image nats"), { state: "ok", found: "mirror/nats:1, as NATS_IMAGE says" });
  t.match(some.get("image localstack"), {
    state: "warn",
    found: `${localstack.official} is not here`,
    fix: /make images/,
  });
  t.match(some.get("image orders"), { state: "ok", found: services[0] });
  t.notOk(some.has("image ministack"));
  t.match(some.get("localstack"), { state: "ok" });
  t.notOk(some.has("image node"), "nothing is to be built");

  const env = { NATS_IMAGE: "mirror/nats:2", EMULATOR: "ministack" };
  const none = await findings(t, { engine: engine({ images: [nats.official] }), env });
  t.match(none.get("image nats"), {
    state: "warn",
    found: /mirror\/nats:2.*is not here/,
    fix: /unset NATS_IMAGE/,
  });
  t.match(none.get("image ministack"), { state: "warn" });
  t.notOk(none.has("image localstack"));
  t.match(none.get("image orders"), { state: "warn", fix: "make up builds it." });
  t.match(none.get("image node"), {
    state: "warn",
    found: `${nodeBase.official} is not here`,
    fix: /make images/,
  });
});

t.test("ports: free, the lab's own, a program's, a container's", async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const env = { NATS_PORT: String(port) };
  const nats = async (given: Given) => (await findings(t, { env, ...given })).get(`port ${port}`);

  t.match(await nats({}), { state: "fail", found: /listens on 127\.0\.0\.1/, fix: /set NATS_PORT/ });
  t.match(await nats({ parts: [{ port, state: "running" }] }), { state: "ok", found: "used by this lab" });
  t.match(await nats({ parts: [{ port, state: "stopped" }] }), { state: "fail" });
  const container = (project?: string) => ({
    Ports: [{ PublicPort: port }],
    Names: ["/some-nats-1"],
    Labels: project === undefined ? {} : { "com.docker.compose.project": project },
  });
  const held = (project?: string) => nats({ engine: engine({ containers: [container(project)] }) });
  t.match(await held(), { state: "fail", found: /container some-nats-1/, fix: /docker stop some-nats-1/ });
  t.match(await held("shop"), { state: "fail", found: /project shop/, fix: /docker compose -p shop down/ });
  t.match(await held("parallax"), { state: "fail", found: /of this lab/, fix: /make down RUNTIME=compose/ });
});

t.test("what another system than those of PROFILE needs is no fault", async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const orders = await findings(t, { env: { PROFILE: "orders", NATS_PORT: String(port) } });
  t.match(orders.get(`port ${port}`), { state: "ok", found: "not needed with PROFILE=orders (NATS_PORT)" });
  t.match(orders.get("nats"), { state: "ok", found: "not installed; not needed with PROFILE=orders" });
  const images = await findings(t, { engine: engine(), env: { PROFILE: "orders" } });
  t.notOk(images.has("image nats") || images.has("image haproxy"));
  const bidding = await findings(t, { engine: engine(), env: { PROFILE: "bidding", GATEWAYS: "1" } });
  t.ok(bidding.has("image nats"));
  t.notOk(bidding.has("image haproxy") || bidding.has("image localstack"));
  t.match(bidding.get("broker"), { state: "ok", found: "not used (PROFILE=bidding)" });
  t.match(bidding.get("localstack"), { state: "ok", found: "not used (PROFILE=bidding)" });
});

t.test("what only the process runtime needs", async (t) => {
  const process = await findings(t, {});
  t.match(process.get("postgres"), { state: "ok" });
  t.match(process.get("redis"), { state: "fail", found: "not installed", fix: /Install redis-server/ });
  t.match(process.get("nats"), { state: "fail", found: "not installed", fix: /Install nats-server/ });
  const compose = await findings(t, { engine: engine() });
  t.match(compose.get("redis"), {
    state: "ok",
    found: /not installed; only RUNTIME=process needs it/,
    fix: undefined,
  });
});

t.test("Node, npm, k6, Go, disk and memory", async (t) => {
  const found = await findings(t, {});
  t.match(found.get("node"), { state: "ok" });
  t.match(found.get("npm"), { state: "ok" });
  t.match(found.get("k6"), { state: "warn", found: /load tests need it/, fix: /set K6/ });
  t.match(found.get("disk"), { found: /GiB free for .*lab$/ });
  t.match(found.get("memory"), { found: /GiB available/ });
  t.match((await findings(t, { path: "" })).get("npm"), { state: "warn" });
  const named = await findings(t, { env: { K6: "/nowhere/k6" } });
  t.match(named.get("k6"), { state: "fail", found: /\/nowhere\/k6/, fix: /Set K6/ });
});

t.test(".env with names that are no settings", async (t) => {
  const dotEnv = "REDIS_PRT=1\nNUM_WORKERS=2\n";
  t.match((await findings(t, { dotEnv })).get(".env"), { state: "warn", found: /REDIS_PRT$/ });
});

t.test("an engine that breaks off while it is asked fails no check", async (t) => {
  const fails = async () => {
    throw new Error("socket hang up");
  };
  const client: unknown = { info: fails, listContainers: fails, getImage: () => ({ inspect: fails }) };
  const broken = {
    usable: true,
    engine: { client: client as Docker, host: "unix:///x", version: "26.1.5" },
  } as const;
  const found = await findings(t, { engine: broken });
  t.match(found.get("images"), { state: "warn" });
  t.match(found.get("engine"), { state: "warn", found: /could not be found out: socket hang up/ });
  t.match(found.get("compose"), { state: "ok" });
});
