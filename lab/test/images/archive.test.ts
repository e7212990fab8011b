/** Transfers that come to a standstill; whole ones are in test/integration/image-building.test.ts. */
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import Docker from "dockerode";
import t, { type Test } from "tap";
import type { Engine } from "../../src/docker/engine.ts";
import { loadImages, saveImages } from "../../src/images/archive.ts";
import { rootDir } from "../../src/paths.ts";
import { settingsFromEnv } from "../../src/settings.ts";
import { startFakeEngine } from "../docker/fake-engine.ts";

const skip = process.platform === "win32" && "a shell script is no program there";
const silent = () => {};

/** Puts a docker command first on PATH. */
function useDocker(t: Test, script: string): void {
  const directory = t.testdir();
  writeFileSync(join(directory, "docker"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, "docker"), 0o755);
  const before = process.env.PATH;
  process.env.PATH = `${directory}${delimiter}${before}`;
  t.teardown(() => {
    process.env.PATH = before;
  });
}

function transferOf(t: Test, socket: string) {
  const engine: Engine = { client: new Docker({ socketPath: socket }), host: socket, version: "26.1.5" };
  const file = join(t.testdirName, "images.tar");
  const { signal } = new AbortController();
  // What does not move for this long is given up; the other limit is never reached.
  return { engine, file, signal, onBytes: silent, short: 50, long: 60_000 };
}

t.test("an engine that takes no more of an archive is given up", { skip }, async (t) => {
  useDocker(t, "exec sleep 60");
  const { short, long, ...transfer } = transferOf(t, "/nowhere");
  writeFileSync(transfer.file, Buffer.alloc(4_000_000));
  await t.rejects(loadImages({ ...transfer, patience: { movingMs: short, packingMs: long } }), {
    code: "COMMAND_FAILED",
    reason: "docker load has made no progress for 0.05 s",
  });
});

t.test("so is one that has all of it and never ends", { skip }, async (t) => {
  useDocker(t, "cat > /dev/null; exec sleep 60");
  const { short, long, ...transfer } = transferOf(t, "/nowhere");
  writeFileSync(transfer.file, "all of it");
  await t.rejects(loadImages({ ...transfer, patience: { movingMs: long, packingMs: short } }), {
    code: "COMMAND_FAILED",
    reason: "docker load has made no progress for 0.05 s",
  });
});

t.test("a save that stands still leaves nothing, and nothing of another's", { skip }, async (t) => {
  await using fake = await startFakeEngine((_, response) => response.end('{"Id":"sha256:1","Size":1}'));
  useDocker(t, "echo begun; exec sleep 60");
  const { short, long, ...transfer } = transferOf(t, fake.socket);
  const others = "images.tar.another.partial";
  writeFileSync(join(t.testdirName, others), "");
  const saving = saveImages({
    ...transfer,
    root: rootDir,
    settings: settingsFromEnv({}, rootDir),
    onEvent: silent,
    patience: { movingMs: short, packingMs: long },
  });
  await t.rejects(saving, { code: "COMMAND_FAILED", reason: "docker save has made no progress for 0.05 s" });
  t.same(readdirSync(t.testdirName).sort(), ["docker", others]);
});
