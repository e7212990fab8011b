/** The real engines, started twice on the same directory: what was written to Postgres and Redis stays. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import t from "tap";
import { removeOutside } from "../../src/engines/postgres-home.ts";
import { labPaths } from "../../src/paths.ts";
import { embeddedSource } from "../../src/runtimes/process/embedded-source.ts";
import { ProcessRuntime } from "../../src/runtimes/process/process-runtime.ts";
import { settingsFromEnv } from "../../src/settings.ts";
import { freePort } from "../../src/util/ports.ts";

t.setTimeout(180_000);

t.test("postgres and redis keep their data over a restart; the emulator starts anew", async (t) => {
  const labDir = mkdtempSync(join(tmpdir(), "parallax-lab-"));
  const [postgres, redis, emulator] = await Promise.all([freePort(), freePort(), freePort()]);
  const settings = settingsFromEnv(
    { LAB_DIR: labDir, POSTGRES_PORT: `${postgres}`, REDIS_PORT: `${redis}`, EMULATOR_PORT: `${emulator}` },
    "/",
  );
  const real = embeddedSource(settings);
  // Engines only: the services have tests of their own.
  const source = {
    ...real,
    parts: () => real.parts([]),
    prepare: (_: unknown, c: never) => real.prepare([], c),
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
  await runtime.kill("postgres", "SIGKILL");
  await runtime.start("postgres");
  t.same(await query(runtime.endpoint("postgres"), "SELECT word FROM kept"), [{ word: "here" }]);
  t.same((await runtime.down()).killed, []);

  t.equal((await up()).state, "running");
  t.same(await query(runtime.endpoint("postgres"), "SELECT word FROM kept"), [{ word: "here" }]);
  t.match(await redisSays(redis, "GET kept"), /here/);
  const { versions } = await runtime.describe();
  t.match(versions, { postgres: /^\d+/, redis: /^\d+/, emulator: /^fauxqs \d/ });
  t.notMatch(JSON.stringify(await runtime.status()), new URL(runtime.endpoint("postgres")).password);
});

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
