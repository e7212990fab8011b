/** The function's code: one file that needs nothing but Node, the same bytes each time. */

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strFromU8, unzipSync } from "fflate";
import t, { type Test } from "tap";
import { bundleFunction } from "../../src/lambda/bundle.ts";
import { ORDERS_ENTRY_POINT } from "../../src/lambda/orders-function.ts";
import { rootDir } from "../../src/paths.ts";

const bundle = await bundleFunction(rootDir, ORDERS_ENTRY_POINT);

t.test("the archive holds one file, which everybody may read", async (t) => {
  const files = unzipSync(bundle.zip);
  t.same(Object.keys(files), ["index.js"]);
  t.equal(strFromU8(files["index.js"] ?? new Uint8Array()), bundle.code);
  t.equal(bundle.sha256, createHash("sha256").update(bundle.zip).digest("base64"));
  // The directory at the archive's end: made by Unix (3), mode rw-r--r-- in the upper half of the attributes.
  const directory = Buffer.from(bundle.zip).lastIndexOf("PK\u0001\u0002", bundle.zip.length, "latin1");
  const view = new DataView(bundle.zip.buffer, bundle.zip.byteOffset + directory);
  t.equal(view.getUint8(5), 3);
  t.equal((view.getUint32(38, true) >>> 16).toString(8), "100644");
});

t.test("it asks for nothing but Node's own modules, and pg's optional one", async (t) => {
  const builtin = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
  const strange = bundle.imports.filter((name) => !builtin.has(name) && !name.startsWith("node:"));
  t.same(strange, ["pg-native"]);
});

t.test("it holds what the function uses, and no server, broker, test or AWS client", async (t) => {
  const packages = new Set(
    [...bundle.code.matchAll(/^\/\/ .*node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\//gm)].map(([, name]) => name),
  );
  for (const name of ["pg", "undici", "zod", "pino"]) t.ok(packages.has(name), name);
  for (const name of [
    "koa",
    "@koa/router",
    "prom-client",
    "bullmq",
    "ioredis",
    "@aws-sdk/client-sns",
    "@opentelemetry/sdk-trace",
    "tap",
    "fast-check",
  ]) {
    t.notOk(packages.has(name), name);
  }
  t.notMatch(bundle.code, /^\/\/ .*(\/test\/|packages\/testkit)/m);
  t.notMatch(bundle.code, rootDir, "nor where it was made");
});

t.test("another process, elsewhere and at another time of the year, makes the same bytes", async (t) => {
  const script = `
    import { bundleFunction } from "./lab/src/lambda/bundle.ts";
    console.log((await bundleFunction(${JSON.stringify(rootDir)}, ${JSON.stringify(ORDERS_ENTRY_POINT)})).sha256);`;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: rootDir,
    env: { ...process.env, TZ: "Pacific/Apia" },
    encoding: "utf8",
  });
  t.equal(output.trim(), bundle.sha256);
});

/** A directory with the file and nothing else; no package.json above it says what kind of module it is. */
async function outside(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "parallax-bundle-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, "index.js"), bundle.code);
  return directory;
}

/** Loads the file as Lambda does, with nothing around it. */
function load(directory: string, env: Record<string, string>) {
  const script = 'console.log(typeof require("./index.js").handler); process.exit()';
  return spawnSync(process.execPath, ["-e", script], {
    cwd: directory,
    env,
    encoding: "utf8",
    timeout: 60_000,
  });
}

t.test("plain Node loads it outside the repository: the handler is there", async (t) => {
  const directory = await outside(t);
  const env = { DATABASE_URL: "postgres://127.0.0.1:1/none", PAYMENTS_URL: "http://127.0.0.1:1" };
  const { stdout, stderr, status } = load(directory, env);
  t.equal(stdout.trim(), "function");
  t.equal(stderr, "");
  t.equal(status, 0);
});

t.test("without its configuration it does not start, and says all that is wrong", async (t) => {
  const directory = await outside(t);
  const { stderr, status } = load(directory, {});
  t.not(status, 0);
  t.match(stderr, /CONFIG_INVALID/);
  t.match(stderr, /DATABASE_URL[\s\S]*PAYMENTS_URL/);
});

t.test("what cannot be bundled is told with its reason", async (t) => {
  await t.rejects(bundleFunction(rootDir, "services/orders/src/no-such-file.ts"), {
    code: "COMMAND_FAILED",
    message: /no-such-file/,
    reason: /Could not resolve/,
  });
});
