/** The real engines, started twice on the same directory: what was written to Postgres, Redis and NATS stays. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import t from "tap";
import { NatsWire } from "../../../test/lib/nats-wire.ts";
import { removeOutside } from "../../src/engines/postgres-home.ts";
import { labPaths } from "../../src/paths.ts";
import { embeddedSource } from "../../src/runtimes/process/embedded-source.ts";
import { type PlanSource, ProcessRuntime } from "../../src/runtimes/process/process-runtime.ts";
import { profiles, settingsFromEnv } from "../../src/settings.ts";
import { freePort } from "../../src/util/ports.ts";

t.setTimeout(180_000);

t.test("postgres, redis and nats keep their data over a restart; the emulator starts anew", async (t) => {
  const labDir = mkdtempSync(join(tmpdir(), "parallax-lab-"));
  const [postgres, redis, nats, emulator] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const settings = settingsFromEnv(
    {
      LAB_DIR: labDir,
      POSTGRES_PORT: `${postgres}`,
      REDIS_PORT: `${redis}`,
      NATS_PORT: `${nats}`,
      EMULATOR_PORT: `${emulator}`,
    },
    "/",
  );
  const real = embeddedSource(settings);
  // Engines only: the services have tests of their own.
  const names = ["postgres", "redis", "nats", "emulator"];
  const source: PlanSource = {
    ...real,
    parts: () => real.parts(profiles).filter(({ name }) => names.includes(name)),
    prepare: async (_, context) => {
      const plan = await real.prepare(profiles, context);
      return { ...plan, parts: plan.parts.filter(({ kind }) => kind === "engine") };
    },
  };
  const runtime = new ProcessRuntime({ labDir, source });
  t.teardown(async () => {
    await runtime.down();
    removeOutside(labPaths(labDir));
    rmSync(labDir, { recursive: true, force: true });
  });
  const up = () => runtime.up({ profiles: [], signal: new AbortController().signal, onEvent: () => {} });

  t.equal((await up()).state, "running");
  await query(runtime.endpoint("postgres"), "CREATE TABLE kept (word text)");
  await query(runtime.endpoint("postgres"), "INSERT INTO kept VALUES ('here')");
  t.match(await redisSays(redis, "SET kept here"), /OK/);
  t.match(await natsSays(nats, "STREAM.CREATE.kept", stream), { config: { max_bytes: 256 * 2 ** 20 } });
  t.match(await natsSays(nats, "STREAM.CREATE.more", { ...stream, name: "more", subjects: ["more"] }), {
    config: { name: "more" },
  });
  t.match(
    await natsSays(nats, "STREAM.CREATE.most", { ...stream, name: "most", subjects: ["most"] }),
    { error: { description: /insufficient storage/ } },
    "its store is bounded",
  );
  using wire = await NatsWire.open(nats);
  t.match(await wire.request("kept", "here"), /"seq":\s*1\b/);
  await runtime.kill("nats", "SIGKILL");
  await runtime.start("nats");
  await runtime.kill("postgres", "SIGKILL");
  await runtime.start("postgres");
  t.same(await query(runtime.endpoint("postgres"), "SELECT word FROM kept"), [{ word: "here" }]);
  t.same((await runtime.down()).killed, []);

  t.equal((await up()).state, "running");
  t.same(await query(runtime.endpoint("postgres"), "SELECT word FROM kept"), [{ word: "here" }]);
  t.match(await redisSays(redis, "GET kept"), /here/);
  t.match(await natsSays(nats, "STREAM.INFO.kept"), { state: { messages: 1 } });
  const { versions } = await runtime.describe();
  t.match(versions, { postgres: /^\d+/, redis: /^\d+/, nats: /^\d+\.\d+/, emulator: /^fauxqs \d/ });
  t.notMatch(JSON.stringify(await runtime.status()), new URL(runtime.endpoint("postgres")).password);
});

const stream = { name: "kept", subjects: ["kept"], storage: "file", max_bytes: 256 * 2 ** 20 };

async function natsSays(port: number, request: string, payload?: object): Promise<unknown> {
  using wire = await NatsWire.open(port);
  return JSON.parse(await wire.request(`$JS.API.${request}`, payload && JSON.stringify(payload)));
}

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function redisSays(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`${command}\r\nQUIT\r\n`));
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.once("error", reject);
    socket.once("end", () => resolve(text));
  });
}
