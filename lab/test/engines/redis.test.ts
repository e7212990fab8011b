/** Redis of the process runtime keeps to the rules of the one in containers. */

import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { prepareRedis } from "../../src/engines/redis.ts";
import { labPaths, rootDir } from "../../src/paths.ts";

t.test("memory, eviction and the log are those of compose/backing.yaml", async (t) => {
  const bin = t.testdir({ "redis-server": "#!/bin/sh\necho 'Redis server v=7.4.0'\n" });
  await chmod(join(bin, "redis-server"), 0o755);
  const path = process.env.PATH;
  process.env.PATH = `${bin}:${path}`;
  t.teardown(() => {
    process.env.PATH = path;
  });
  const context = { signal: AbortSignal.timeout(10_000), onEvent: () => {} };
  const { args, version } = await prepareRedis(labPaths(t.testdirName), 6379, context);
  t.equal(version, "7.4.0");
  const compose = await readFile(join(rootDir, "compose", "backing.yaml"), "utf8");
  for (const option of ["--maxmemory", "--maxmemory-policy", "--appendonly", "--appendfsync"]) {
    const [, there] = new RegExp(`- ${option}\\n\\s*- "?([a-z0-9]+)`).exec(compose) ?? [];
    t.ok(there, `${option} is found`);
    t.equal(args[args.indexOf(option) + 1], there, option);
  }
});
