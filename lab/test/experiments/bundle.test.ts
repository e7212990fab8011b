import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import t from "tap";
import { z } from "zod";
import { readJsonLines } from "../../src/experiments/answers-file.ts";
import { Bundle, listFiles, MANIFEST } from "../../src/experiments/bundle.ts";
import { MetricsCsv } from "../../src/experiments/metrics-csv.ts";

const at = new Date("2026-11-21T06:39:00.123Z");
const path = ["local", "orders", "smoke"] as const;

t.test("a bundle has its name only when it is finished", async (t) => {
  const root = t.testdir();
  const bundle = await Bundle.begin(root, path, at);
  const final = join(root, "local", "orders", "smoke", "2026-11-21T06-39-00.123Z");
  t.equal(bundle.directory, `${final}.unfinished`);
  await bundle.writeJson("run.json", { format: 1 });
  t.notOk(existsSync(final));
  t.equal(await bundle.finish(), final);
  t.same(JSON.parse(await readFile(join(final, "run.json"), "utf8")), { format: 1 });
});

t.test(
  "a bundle is never edited: a file is written once, and a second run has another directory",
  async (t) => {
    const root = t.testdir();
    const bundle = await Bundle.begin(root, path, at);
    await bundle.writeJson("run.json", {});
    await t.rejects(bundle.writeJson("run.json", {}), { code: "EEXIST" });
    await t.rejects(Bundle.begin(root, path, at), { code: "EEXIST" });
  },
);

t.test("a finished bundle is sealed: read-only, each file with its digest", async (t) => {
  const bundle = await Bundle.begin(t.testdir(), path, at);
  t.ok((await stat(bundle.path("reserve"))).size >= 2 ** 20, "room for the last words of a run");
  await bundle.writeJson("run.json", { answers: 1 });
  await mkdir(bundle.path("logs"));
  await writeFile(bundle.path("logs/api.log"), "a line\n");
  const directory = await bundle.finish();
  t.same(await listFiles(directory), ["logs/api.log", MANIFEST, "run.json"], "and no reserve");
  const { format, files } = JSON.parse(await readFile(join(directory, MANIFEST), "utf8"));
  t.equal(format, 2);
  for (const file of ["logs/api.log", "run.json"]) {
    const content = await readFile(join(directory, file));
    const sha256 = createHash("sha256").update(content).digest("hex");
    t.same(files[file], { bytes: content.length, sha256 });
  }
  t.same(Object.keys(files), ["logs/api.log", "run.json"]);
  for (const file of await listFiles(directory)) {
    t.equal((await stat(join(directory, file))).mode & 0o222, 0, `${file} is read-only`);
  }
});

t.test("a file is replaced by its compressed form; an absent one is left out", async (t) => {
  const bundle = await Bundle.begin(t.testdir(), path, at);
  await writeFile(bundle.path("answers.jsonl"), "{}\n".repeat(1000));
  await bundle.compress("answers.jsonl");
  await bundle.compress("absent.jsonl");
  t.same((await readdir(bundle.directory)).sort(), ["answers.jsonl.gz", "reserve"]);
  t.equal(gunzipSync(await readFile(bundle.path("answers.jsonl.gz"))).toString(), "{}\n".repeat(1000));
});

t.test("answers are read line by line; what cannot be read is counted", async (t) => {
  const file = join(
    t.testdir({ "answers.jsonl": '{"id":"a","status":202}\n\nrubbish\n{"id":1}\n' }),
    "answers.jsonl",
  );
  const schema = z.object({ id: z.string(), status: z.int() });
  t.same(await readJsonLines(file, schema), { values: [{ id: "a", status: 202 }], unreadable: 2 });
  t.same(await readJsonLines(`${file}.absent`, schema), { values: [], unreadable: 0 });
});

t.test("the metrics file keeps the first row's columns", async (t) => {
  const file = join(t.testdir(), "metrics.csv");
  const csv = new MetricsCsv(file);
  csv.write({ time: "t1", depth: 1, rate: 1.23456 });
  csv.write({ time: 'a "quoted", one', rate: 2, unknown: 3 });
  await csv.close();
  t.equal(await readFile(file, "utf8"), 'time,depth,rate\nt1,1,1.235\n"a ""quoted"", one",,2\n');
});

t.test("a metrics file that cannot be written fails the run", async (t) => {
  const csv = new MetricsCsv(join(t.testdir(), "absent", "metrics.csv"));
  csv.write({ time: "t1" });
  await t.rejects(csv.close(), { code: "ENOENT" });
});
