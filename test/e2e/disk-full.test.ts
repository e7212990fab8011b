/** A disk that runs full in the middle fails the run, which says so; as much as there was room for is kept and marked. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { open, readdir, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { findBundles, isSkipped, readBundle } from "../../lab/src/experiments/read-bundle.ts";
import { type RunOptions, runExperiment } from "../../lab/src/experiments/run-experiment.ts";
import {
  anyK6,
  type OwnExperiment,
  onePartRuntime,
  ownExperiment,
  ownServer,
  runOptions,
} from "../lib/own-experiment.ts";

// Only the first time, where k6 has to be built.
t.setTimeout(700_000);

const k6 = await anyK6(t);

/** A small file system in memory, gone when the test ends; a text says why there is none. */
function smallDisk(t: Test, megabytes: number): { directory: string } | string {
  if (process.platform !== "linux") return "only Linux has tmpfs";
  const directory = mkdtempSync(join(tmpdir(), "parallax-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", directory], { stdio: "pipe" });
  } catch (error) {
    rmSync(directory, { recursive: true });
    return `no file system can be mounted here: ${String(error).split("\n")[1] ?? error}`;
  }
  t.teardown(() => {
    // Lazily: what still holds it open does not keep it mounted.
    execFileSync("umount", ["--lazy", directory]);
    rmSync(directory, { recursive: true });
  });
  return { directory };
}

/** Writes until so many bytes are left; with none, until the system refuses. */
async function fill(directory: string, left = 0): Promise<void> {
  await using file = await open(join(directory, "somebody-elses"), "a");
  const { bavail, bsize } = await statfs(directory);
  const piece = Buffer.alloc(64 * 1024, 1);
  try {
    for (let more = bavail * bsize - left; more > 0; more -= piece.length) {
      await file.write(piece, 0, Math.min(piece.length, more));
    }
    // Page by page to the last one.
    while (left === 0) await file.write(piece, 0, 4096);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

const MEGABYTE = 2 ** 20;
const load: OwnExperiment = { script: "get.ts", arrivals: { model: "open", rate: 50 }, seconds: 2 };

interface Filled extends Partial<RunOptions> {
  readonly own?: Partial<OwnExperiment>;
}

/** A run whose disk is filled by the hooks in `changes`. */
async function fullRun(t: Test, megabytes: number, changes: (directory: string) => Filled): Promise<void> {
  const disk = smallDisk(t, megabytes);
  if (typeof disk === "string") {
    t.pass("the run fails and says why", { skip: disk });
    return;
  }
  const { directory } = disk;
  const { own, ...options } = changes(directory);
  const runtime = onePartRuntime(await ownServer(t, (_, response) => void response.end("well")));
  const experiment = ownExperiment({ ...load, ...own });
  await t.rejects(runExperiment(runOptions({ experiment, runtime, k6, resultsDir: directory, ...options })), {
    code: "PREREQUISITE_MISSING",
    message: "The run failed: The disk that results are written to is full.",
    reason: directory,
    remedy: /^Make room there; old bundles below results\/ may be removed\. What there is of the run: \S+$/,
  });
  const [found = ""] = await findBundles(directory);
  const bundle = await readBundle(found);
  t.comment(found, (await readdir(found)).join(" "));
  if (isSkipped(bundle)) throw new Error(bundle.reason);
  t.match(bundle.run, { state: "failed", error: "The disk that results are written to is full." });
}

t.test("the disk is nearly full before the run", async (t) => {
  await fullRun(t, 64, () => ({}));
});

t.test(
  "little is left of the disk in the middle of the load: the run ends before its evidence is lost",
  async (t) => {
    let filled = false;
    await fullRun(t, 80, (directory) => ({
      own: { seconds: 60 },
      onRow: async ({ answers }) => {
        if (filled || Number(answers) === 0) return;
        filled = true;
        await fill(directory, 50 * MEGABYTE);
      },
    }));
  },
);

t.test("nothing is left of the disk from one sample to the next", async (t) => {
  let filled = false;
  await fullRun(t, 80, (directory) => ({
    own: { seconds: 60 },
    onRow: async ({ answers }) => {
      if (filled || Number(answers) === 0) return;
      filled = true;
      await fill(directory);
    },
  }));
});

t.test("the disk is full when the results are filed", async (t) => {
  await fullRun(t, 80, (directory) => ({
    own: {
      observed: {
        async judge() {
          await fill(directory);
          return { outcome: "held", invariants: [], observations: [] };
        },
      },
    },
  }));
});

t.test("the disk has room for half of the results", async (t) => {
  await fullRun(t, 80, (directory) => ({
    own: {
      observed: {
        async judge() {
          await fill(directory, 16 * 1024);
          const examples = Array.from({ length: 10_000 }, (_, i) => `an order that went wrong, number ${i}`);
          const detail = "None of these.";
          const broken = { name: "i", outcome: "broken", detail, counts: {}, examples } as const;
          return { outcome: "held", invariants: [broken], observations: [] };
        },
      },
    },
  }));
});

t.test("nothing is left of the disk before the run", async (t) => {
  const disk = smallDisk(t, 1);
  if (typeof disk === "string") {
    t.pass("the run fails and says why", { skip: disk });
    return;
  }
  const { directory } = disk;
  await fill(directory);
  const options = { experiment: ownExperiment(load), runtime: onePartRuntime(""), k6, resultsDir: directory };
  await t.rejects(runExperiment(runOptions(options)), {
    code: "PREREQUISITE_MISSING",
    message: "The disk that results are written to is full.",
    reason: directory,
  });
  t.same(await findBundles(directory), []);
});
