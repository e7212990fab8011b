import { execFileSync } from "node:child_process";
import {
  appendFile,
  chmod,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import t, { type Test } from "tap";
import { loadRuns } from "../../src/compare/load-runs.ts";
import { digest, listFiles, MANIFEST } from "../../src/experiments/bundle.ts";
import {
  findBundles,
  isSkipped,
  type ReadBundle,
  readBundle,
  unfitReason,
} from "../../src/experiments/read-bundle.ts";
import { sealAnew, tamper, writeBundle } from "./example-bundle.ts";

async function good(t: Test, directory: string): Promise<ReadBundle> {
  const bundle = await readBundle(directory);
  if (isSkipped(bundle)) throw new Error(bundle.reason);
  t.equal(bundle.directory, directory);
  return bundle;
}

t.test("what a run filed is read back", async (t) => {
  const { run, verdict, metrics, histograms } = await good(t, await writeBundle(t.testdir()));
  t.match(run, { state: "finished", experiment: { system: "orders", name: "smoke" } });
  t.equal(verdict?.correctness.outcome, "held");
  t.match(metrics, { achieved_rate: 20, error_share: 0, queue_visible_max: 3 });
  t.equal((await histograms()).get("load/place")?.totalCount, 200);
});

t.test("a bundle is read wherever it is named from", async (t) => {
  const directory = await writeBundle(t.testdir());
  const here = relative(process.cwd(), directory);
  for (const path of [`${directory}/`, here, `./${here}`, `${here}/.`]) {
    for (const found of await findBundles(path)) {
      const bundle = await readBundle(found);
      t.notOk(isSkipped(bundle), `${path}: ${isSkipped(bundle) && bundle.reason}`);
    }
    t.equal((await findBundles(path)).length, 1, path);
  }
});

/** Nobody ever writes to it: who reads it, waits. */
async function putPipe(bundle: string, file: string): Promise<void> {
  await rm(join(bundle, file));
  execFileSync("mkfifo", [join(bundle, file)]);
}

t.test("a bundle has one name, also where a link leads to it or to what is above it", async (t) => {
  const root = t.testdir({ real: {}, link: t.fixture("symlink", "real") });
  const directory = await writeBundle(join(root, "real"));
  await symlink(directory, join(root, "latest"));
  t.same(await findBundles(join(root, "link")), [directory]);
  t.same(await findBundles(join(root, "latest")), [directory]);
  t.same(await findBundles(root), [directory], "links below are not followed");
});

t.test("a directory whose name only begins like a bundle's is looked into", async (t) => {
  const root = t.testdir();
  const directory = await writeBundle(join(root, "2026-11-21T-before-the-change"));
  t.same(await findBundles(root), [directory]);
});

const damages: readonly [string, RegExp, (bundle: string) => Promise<unknown>][] = [
  [
    "a byte was changed",
    /^run\.json is not what the run wrote/,
    async (bundle) => {
      const text = await readFile(join(bundle, "run.json"), "utf8");
      await tamper(bundle, "run.json", text.replace("achieved_rate", "achieved_mate"));
    },
  ],
  [
    "a file was cut short",
    /^latency\.hlog is not what the run wrote/,
    async (bundle) => {
      await chmod(join(bundle, "latency.hlog"), 0o644);
      await truncate(join(bundle, "latency.hlog"), 40);
    },
  ],
  [
    "a file was added to",
    /^latency\.hlog is not what the run wrote/,
    (bundle) => appendFile(join(bundle, "latency.hlog"), "\n"),
  ],
  [
    "a file was put into",
    /^notes\.txt was added/,
    (bundle) => writeFile(join(bundle, "notes.txt"), "looks fine to me"),
  ],
  [
    "a file was put into that has the name of something else",
    /^constructor was added/,
    (bundle) => writeFile(join(bundle, "constructor"), ""),
  ],
  [
    "a file was put below",
    /^logs\/api\.log was added/,
    async (bundle) => {
      await mkdir(join(bundle, "logs"));
      await writeFile(join(bundle, "logs", "api.log"), "");
    },
  ],
  ["a file was taken from", /^verdict\.json is missing/, (bundle) => rm(join(bundle, "verdict.json"))],
  ["run.json was taken from", /^run\.json is missing/, (bundle) => rm(join(bundle, "run.json"))],
  ["its manifest was taken from", /^manifest\.json is missing/, (bundle) => rm(join(bundle, MANIFEST))],
  ["its manifest is no JSON", /^manifest\.json is no JSON/, (bundle) => tamper(bundle, MANIFEST, '{"form')],
  ["its manifest is empty", /^manifest\.json is no JSON/, (bundle) => tamper(bundle, MANIFEST, "")],
  [
    "its manifest is another JSON",
    /^manifest\.json is not of the expected form/,
    (bundle) => tamper(bundle, MANIFEST, '["a"]'),
  ],
  [
    "a link was put in the place of a file of",
    /^verdict\.json is no plain file/,
    async (bundle) => {
      // What is behind it has the right digest, today.
      await rename(join(bundle, "verdict.json"), `${bundle}-verdict.json`);
      await symlink(`${bundle}-verdict.json`, join(bundle, "verdict.json"));
    },
  ],
  [
    "a pipe was put in the place of a file of",
    /^latency\.hlog is no plain file/,
    (bundle) => putPipe(bundle, "latency.hlog"),
  ],
  [
    "a pipe was put in the place of the manifest of",
    /^manifest\.json is no plain file/,
    (bundle) => putPipe(bundle, MANIFEST),
  ],
  [
    "everything was taken from",
    /^run\.json is missing/,
    async (bundle) => {
      for (const file of await listFiles(bundle)) await rm(join(bundle, file));
    },
  ],
  [
    "run.json is no JSON though its digest fits",
    /^run\.json is no JSON/,
    async (bundle) => {
      await tamper(bundle, "run.json", '{"format": 2, "begun');
      await sealAnew(bundle, ["run.json", "verdict.json", "latency.hlog"], digest);
    },
  ],
  [
    "run.json has no state though its digest fits",
    /^run\.json is not of the expected form: state/,
    async (bundle) => {
      const run = JSON.parse(await readFile(join(bundle, "run.json"), "utf8"));
      await tamper(bundle, "run.json", JSON.stringify({ ...run, state: "excellent" }));
      await sealAnew(bundle, ["run.json", "verdict.json", "latency.hlog"], digest);
    },
  ],
  [
    "it is of the format before there were manifests",
    /older format 1; this lab reads format 2/,
    async (bundle) => {
      await rm(join(bundle, MANIFEST));
      await tamper(bundle, "run.json", JSON.stringify({ format: 1, experiment: "orders/smoke" }));
    },
  ],
  [
    "it is of a later format",
    /newer format 3; this lab reads format 2/,
    (bundle) => tamper(bundle, MANIFEST, JSON.stringify({ format: 3, files: ["in another form"] })),
  ],
];

for (const [what, reason, damage] of damages) {
  t.test(`${what}: named, and left out among others`, async (t) => {
    const root = t.testdir();
    const others = [
      await writeBundle(root, { at: new Date("2026-11-21T06:00:00.000Z") }),
      await writeBundle(root, { at: new Date("2026-11-21T08:00:00.000Z") }),
    ];
    const directory = await writeBundle(root, { at: new Date("2026-11-21T07:00:00.000Z") });
    await damage(directory);
    t.match(await readBundle(directory), { directory, reason });
    const { runs, skipped } = await loadRuns([root]);
    t.same(
      runs.map((run) => run.directory),
      others,
    );
    t.match(skipped, [{ directory, reason }]);
  });
}

t.test("a run that has not ended is named as one", async (t) => {
  const directory = await writeBundle(t.testdir());
  const unfinished = `${directory}.unfinished`;
  await rename(directory, unfinished);
  const reason = /has not ended, or was cut off/;
  t.match(await readBundle(unfinished), { reason });
  t.match(await readBundle(`${unfinished}/`), { reason });
  t.same(await findBundles(dirname(unfinished)), [unfinished]);
});

t.test("a directory that is no bundle is named too, and is not taken for one", async (t) => {
  const root = t.testdir({ notes: { "ideas.txt": "" }, "readme.md": "" });
  t.match(await readBundle(join(root, "notes")), { reason: "run.json is missing." });
  t.match(await readBundle(join(root, "absent")), { reason: "run.json is missing." });
  t.match(await readBundle(join(root, "readme.md")), { reason: "run.json is missing." });
  t.same(await findBundles(root), []);
  t.same(await findBundles(join(root, "absent")), []);
  t.same(await loadRuns([root]), { runs: [], primaryMetrics: [], skipped: [] });
});

t.test("bundles are found at every level, the oldest first", async (t) => {
  const root = t.testdir({ notes: { "ideas.txt": "" } });
  const at = (hour: number) => new Date(Date.UTC(2026, 10, 21, hour));
  const later = await writeBundle(root, { at: at(9) });
  const earlier = await writeBundle(root, { at: at(8) });
  const elsewhere = await writeBundle(join(root, "copied"), { at: at(7) });
  const empty = join(dirname(later), "2026-11-21T10-00-00.000Z");
  await mkdir(empty);
  t.same(await findBundles(root), [elsewhere, earlier, later, empty]);
  t.same(await findBundles(join(root, "local")), [earlier, later, empty]);
  t.same(await findBundles(join(root, "local", "orders", "smoke")), [earlier, later, empty]);
  t.same(await findBundles(later), [later]);
  const { runs, skipped } = await loadRuns([root, later, dirname(later)]);
  t.equal(runs.length, 3, "each once, however often it is named");
  t.match(skipped, [{ directory: empty, reason: "run.json is missing." }]);
});

t.test("what may not be compared says why", async (t) => {
  const correctness = (outcome: "broken" | "undecided") => ({
    correctness: { outcome, invariants: [], observations: [] },
  });
  const unfit: [string | undefined, Parameters<typeof writeBundle>[1]][] = [
    [undefined, {}],
    [undefined, { verdict: { crossed_thresholds: ["http_req_duration p(99)<2000"] } }],
    ["The run was interrupted.", { run: { state: "interrupted" } }],
    ["The run failed: k6 died", { run: { state: "failed", error: "k6 died" }, verdict: null }],
    ["The run has no verdict or no figures.", { verdict: null }],
    ["The run has no verdict or no figures.", { run: { figures: undefined } }],
    ["Its correctness is broken.", { verdict: correctness("broken") }],
    ["Its correctness is undecided.", { verdict: correctness("undecided") }],
    [
      "Its figures are INVALID: 3 iterations were dropped; too slow.",
      {
        verdict: { performance: { outcome: "INVALID", reasons: ["3 iterations were dropped", "too slow"] } },
      },
    ],
  ];
  const root = t.testdir();
  for (const [i, [reason, changes]] of unfit.entries()) {
    const bundle = await good(t, await writeBundle(root, { at: new Date(i * 1000), ...changes }));
    t.equal(unfitReason(bundle), reason);
  }
  const { runs, skipped } = await loadRuns([root]);
  t.equal(runs.length, 2);
  t.equal(skipped.length, unfit.length - 2);
});
