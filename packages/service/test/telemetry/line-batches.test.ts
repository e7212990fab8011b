import { execFile } from "node:child_process";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { LineBatches } from "../../src/telemetry/line-batches.ts";

t.test("all lines arrive whole and in order, by the batch or after a while", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "parallax-lines-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "log");
  const handle = await open(file, "w");
  t.teardown(() => handle.close());
  const batches = new LineBatches(handle.fd);
  const line = (n: number) => `line ${n} ${"ü".repeat(n % 50)}\n`;
  let expected = "";
  for (let n = 0; n < 5000; n += 1) {
    batches.write(line(n));
    expected += line(n);
  }
  await waitFor(
    "the last one, which fills no batch",
    async () => (await readFile(file, "utf8")) === expected,
  );
  batches.write("and one more\n");
  await new Promise((resolve) => batches.flush(resolve));
  t.equal(await readFile(file, "utf8"), `${expected}and one more\n`, "at once, when that is asked for");
  batches.write("the last\n");
  batches.flushSync();
  t.equal(await readFile(file, "utf8"), `${expected}and one more\nthe last\n`);
});

t.test("a process that ends by itself has written its lines", async (t) => {
  const script = `
    const { createLogger } = await import(${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)});
    createLogger({ name: "test", level: "info" }).info("the last word");`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script]);
  t.match(JSON.parse(stdout), { msg: "the last word" });
});
