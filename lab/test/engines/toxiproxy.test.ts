/** Where toxiproxy comes from: PATH, else what was built before; without it and without Go, one clear error. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { findOrBuildToxiproxy, findToxiproxy } from "../../src/engines/toxiproxy.ts";
import { labPaths } from "../../src/paths.ts";

const directory = mkdtempSync(join(tmpdir(), "parallax-toxiproxy-"));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

function program(path: string, says: string): string {
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(path, 0o755);
  return path;
}

t.test("neither toxiproxy nor Go: says what is missing and what to do", async (t) => {
  const options = { labDir: directory, searchPath: "", onEvent: () => {} };
  await t.rejects(findOrBuildToxiproxy({ ...options, signal: AbortSignal.timeout(10_000) }), {
    code: "PREREQUISITE_MISSING",
    reason: /no Go/,
    remedy: /Install toxiproxy/,
  });
});

t.test("one on PATH comes before one that was built; what is something else is passed by", async (t) => {
  const { engines } = labPaths(directory);
  const bin = join(directory, "bin");
  for (const place of [engines, bin]) mkdirSync(place, { recursive: true });
  const built = program(join(engines, "toxiproxy-server"), "toxiproxy-server version git");
  t.equal(await findToxiproxy(directory, bin), built);
  const onPath = program(join(bin, "toxiproxy-server"), "toxiproxy-server version 2.12.0");
  t.equal(await findToxiproxy(directory, bin), onPath);
  program(onPath, "something else 1.0");
  t.equal(await findToxiproxy(directory, bin), built);
});
