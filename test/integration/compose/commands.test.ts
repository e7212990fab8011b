/** The command line against an engine, where things go wrong: what it says, how it ends, that nothing is left. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { requireEngine } from "../../../lab/src/docker/engine.ts";
import { currentSession, testLabel } from "../../../lab/src/docker/test-resources.ts";
import { labPaths, rootDir } from "../../../lab/src/paths.ts";
import { listContainers } from "../../../lab/src/runtimes/compose/containers.ts";
import { findProgram, runCommand } from "../../../lab/src/util/run-command.ts";
import { listBelongings, type OwnComposeLab, ownComposeLab } from "../../lib/own-compose-lab.ts";

t.setTimeout(900_000);

const engine = await requireEngine();
const program = join(rootDir, "lab", "index.cjs");

function environmentOf(lab: OwnComposeLab, extra: Record<string, string> = {}): Record<string, string> {
  return { ...(process.env as Record<string, string>), ...lab.environment, ...extra };
}

function labCommand(lab: OwnComposeLab, args: readonly string[], extra: Record<string, string> = {}) {
  return runCommand(process.execPath, [program, ...args], {
    timeout: 180_000,
    env: environmentOf(lab, extra),
  });
}

async function nothingLeft(t: Test, { settings }: OwnComposeLab): Promise<void> {
  const containers = await listContainers(engine.client, settings.composeProject);
  t.same(
    containers.map(({ name, state }) => `${name} ${state}`),
    [],
    "no container is left",
  );
  t.same((await listBelongings(engine.client, settings.composeProject)).networks, [], "nor a network");
}

t.test("a port that is taken is named, with its holder and the variable that moves it", async (t) => {
  const lab = await ownComposeLab(t);
  const holder = createServer();
  t.teardown(() => holder.close());
  holder.listen(lab.settings.ports.ordersReceiver, "127.0.0.1");
  await once(holder, "listening");
  const { code, stderr } = await labCommand(lab, ["up"]);
  t.equal(code, 5);
  t.match(stderr, new RegExp(`Port ${lab.settings.ports.ordersReceiver} \\(orders-receiver\\) is taken`));
  t.match(stderr, `pid ${process.pid}`);
  t.match(stderr, /ORDERS_RECEIVER_PORT/);
  await nothingLeft(t, lab);
});

t.test("an image that is not to be had is named, and make images with it", async (t) => {
  const lab = await ownComposeLab(t, { REDIS_IMAGE: "127.0.0.1:9/none/redis:0" });
  const { code, stderr } = await labCommand(lab, ["up"]);
  t.equal(code, 5);
  t.match(stderr, /127\.0\.0\.1:9\/none\/redis:0/);
  t.match(stderr, /fix: .*REDIS_IMAGE|fix: .*make images/);
  await nothingLeft(t, lab);
});

t.test("Ctrl-C in the middle of a start leaves nothing", async (t) => {
  const lab = await ownComposeLab(t);
  const child = spawn(process.execPath, [program, "up"], { stdio: "ignore", env: environmentOf(lab) });
  await waitFor(
    "the first container",
    async () => (await listContainers(engine.client, lab.settings.composeProject)).length > 0,
    60_000,
  );
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  t.equal(code, 130);
  await nothingLeft(t, lab);
});

t.test("what a killed command has started is found by down", async (t) => {
  const lab = await ownComposeLab(t);
  const child = spawn(process.execPath, [join(rootDir, "lab", "src", "main.ts"), "up"], {
    stdio: "ignore",
    env: environmentOf(lab),
  });
  await waitFor(
    "the first container",
    async () => (await listContainers(engine.client, lab.settings.composeProject)).length > 0,
    60_000,
  );
  child.kill("SIGKILL");
  await once(child, "exit");
  const { code, stderr } = await labCommand(lab, ["down"]);
  t.equal(code, 0, stderr);
  await nothingLeft(t, lab);
});

t.test("a start that fails shows the log of what failed, and leaves nothing", async (t) => {
  const lab = await ownComposeLab(t);
  await lab.up();
  await lab.runtime.down();
  // The database keeps its password; the lab forgets it.
  await rm(labPaths(lab.settings.labDir).secrets);
  const { code, stderr } = await labCommand(lab, ["up"]);
  t.equal(code, 1);
  t.match(stderr, /Error: orders-\w+ exited( with code 1)? before it was ready/);
  t.match(stderr, /why: The database was made with another password/);
  t.match(stderr, /fix: .*make clean.*COMPOSE_PROJECT_NAME/);
  t.match(stderr, /\| .*password authentication failed/);
  await nothingLeft(t, lab);
});

t.test("a disk that is full is named", async (t) => {
  const lab = await ownComposeLab(t);
  const { composeProject, labDir } = lab.settings;
  // The database's volume as a disk of its own, on which not even an empty cluster has room.
  await engine.client.createVolume({
    Name: `${composeProject}_postgres-data`,
    DriverOpts: { type: "tmpfs", device: "tmpfs", o: "size=8m,mode=0777" },
    Labels: {
      "com.docker.compose.project": composeProject,
      "com.docker.compose.volume": "postgres-data",
      "parallax.lab": labDir,
      [testLabel]: currentSession(),
    },
  });
  const { code, stderr } = await labCommand(lab, ["up"]);
  t.equal(code, 1, stderr);
  t.match(stderr, /Error: postgres exited with code \d+/);
  t.match(stderr, /why: The disk of the Docker engine is full/);
  t.match(stderr, /fix: .*docker system df/);
  t.match(stderr, /\| .*No space left on device/);
  await nothingLeft(t, lab);
});

t.test("a Compose that is too old is refused, with what to install", async (t) => {
  const lab = await ownComposeLab(t);
  const real = findProgram("docker", process.env.PATH);
  const directory = t.testdir({});
  const script = `#!/bin/sh\n[ "$1 $2" = "compose version" ] && echo v2.10.2 && exit 0\nexec "${real}" "$@"\n`;
  await writeFile(join(directory, "docker"), script);
  await chmod(join(directory, "docker"), 0o755);
  const { code, stderr } = await labCommand(lab, ["up"], { PATH: `${directory}:${process.env.PATH}` });
  t.equal(code, 5);
  t.match(stderr, /Docker Compose 2\.10\.2 is too old/);
  t.match(stderr, /fix: .*docs\.docker\.com\/compose\/install/);
  await nothingLeft(t, lab);
});

t.test("an engine that stops in the middle", async (t) => {
  const lab = await ownComposeLab(t);
  // A socket's path may not be long.
  const socket = join(lab.settings.labDir, "docker.sock");
  const through = { DOCKER_HOST: `unix://${socket}` };
  let door = await engineBehind(socket);
  t.teardown(() => door.close());
  const up = await labCommand(lab, ["up"], through);
  t.equal(up.code, 0, up.stderr);

  await door.close();
  const status = await labCommand(lab, ["status", "--json"], through);
  t.equal(status.code, 3);
  t.match(JSON.parse(status.stdout), { state: "failed", failure: { what: /engine does not answer/ } });
  const down = await labCommand(lab, ["down"], through);
  t.equal(down.code, 1);
  t.match(down.stderr, /containers cannot be removed now/);
  t.match(down.stderr, /fix: Start the engine/);
  const again = await labCommand(lab, ["up"], through);
  t.equal(again.code, 5);
  t.match(again.stderr, /No Docker engine can be used/);

  door = await engineBehind(socket);
  t.equal((await labCommand(lab, ["status"], through)).code, 0, "the engine is back, and the lab with it");
  t.equal((await labCommand(lab, ["down"], through)).code, 0);
  await nothingLeft(t, lab);
});

t.test("an engine that stops in the middle of a start", async (t) => {
  const lab = await ownComposeLab(t);
  const socket = join(lab.settings.labDir, "docker.sock");
  const through = { DOCKER_HOST: `unix://${socket}` };
  let door = await engineBehind(socket);
  t.teardown(() => door.close());
  const starting = labCommand(lab, ["up"], through);
  await waitFor(
    "the first container",
    async () => (await listContainers(engine.client, lab.settings.composeProject)).length > 0,
    60_000,
  );
  await door.close();
  const { code, stderr } = await starting;
  t.equal(code, 3, stderr);
  t.match(stderr, /Error: The Docker engine has stopped answering/);
  t.match(stderr, /fix: Start it/);
  t.match(stderr, /still there/);
  const down = await labCommand(lab, ["down"], { ...through, RUNTIME: "auto" });
  t.match(down, { code: 1, stderr: /containers cannot be removed now/ }, "it is not forgotten");

  door = await engineBehind(socket);
  t.match(await labCommand(lab, ["down"], through), { code: 0 });
  await nothingLeft(t, lab);
});

t.test("an engine that stops under a run ends it, and says so", async (t) => {
  const lab = await ownComposeLab(t);
  // A socket's path may not be long.
  const socket = join(lab.settings.labDir, "docker.sock");
  const through = { DOCKER_HOST: `unix://${socket}` };
  const door = await engineBehind(socket);
  t.teardown(() => door.close());
  t.equal((await labCommand(lab, ["up"], through)).code, 0);
  const child = spawn(process.execPath, [program, "loadtest"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: environmentOf(lab, through),
  });
  let told = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    told += text;
  });
  await waitFor("the load", () => told.includes("load: 20/s"), 60_000);
  await door.close();
  const [code] = await once(child, "exit");
  t.equal(code, 3, told);
  t.match(told, /The lab stopped in the middle of the run|engine does not answer/);
});

interface Door {
  /** Ends every connection and lets nobody in. */
  close(): Promise<void>;
}

/** The engine behind a socket that can be closed, as when it is stopped. */
async function engineBehind(path: string): Promise<Door> {
  const server: Server = createServer((client) => {
    const upstream = connect(new URL(engine.host).pathname);
    client.pipe(upstream).pipe(client);
    for (const one of [client, upstream]) one.on("error", () => {});
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    clients.add(client);
    client.on("close", () => clients.delete(client));
  });
  const clients = new Set<{ destroy(): void }>();
  server.listen(path);
  await once(server, "listening");
  return {
    async close() {
      if (!server.listening) return;
      for (const client of clients) client.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
