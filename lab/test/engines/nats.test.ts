/** Where NATS comes from: PATH, else Debian's packages unpacked before, else what Go has built. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import t from "tap";
import { findNats } from "../../src/engines/nats.ts";
import { labPaths } from "../../src/paths.ts";

const directory = mkdtempSync(join(tmpdir(), "parallax-nats-"));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

function program(path: string, says: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(path, 0o755);
  return path;
}

t.test("one on PATH comes first, what is something else is passed by", async (t) => {
  const paths = labPaths(directory);
  const bin = join(directory, "bin");
  t.equal(await findNats(paths, bin), undefined, "there is none");
  const built = program(join(paths.engines, "nats-server"), "nats-server: v2.10.29");
  t.same(await findNats(paths, bin), { program: built, version: "2.10.29" });
  const unpacked = program(join(paths.engines, "nats/usr/sbin/nats-server"), "nats-server: v2.9.10");
  t.same(await findNats(paths, bin), { program: unpacked, version: "2.9.10" });
  const onPath = program(join(bin, "nats-server"), "nats-server: v2.15.2");
  t.same(await findNats(paths, bin), { program: onPath, version: "2.15.2" });
  program(onPath, "something else 1.0");
  t.same(await findNats(paths, bin), { program: unpacked, version: "2.9.10" });
});
