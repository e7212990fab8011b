import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { Output } from "../../src/cli/output.ts";
import { rootDir } from "../../src/paths.ts";
import { concludeTests, type TapRun } from "../../src/util/run-tap.ts";
import { runNode } from "../../src/util/tools.ts";

function conclude(run: Partial<TapRun>, others?: boolean[]) {
  let text = "";
  let code = 0;
  const sink = { write: (part: string) => (text += part) };
  const output = new Output({ stdout: sink, stderr: sink, environment: {} });
  const whole = { code: 0, counts: { passed: 2, failed: 0, skipped: 0 }, failures: [], record: "r", ...run };
  concludeTests({ output, exitWith: (given) => (code = given) }, whole, others);
  return { text, code };
}

t.test("the closing line and the exit code", async (t) => {
  t.match(conclude({}), { text: /\n2 passed, 0 failed\n$/, code: 0 });
  t.match(conclude({}, [true]), { text: /\n3 passed, 0 failed\n$/, code: 0 });
  t.match(conclude({}, [false]), { text: /\n2 passed, 1 failed\n$/, code: 1 });
  t.match(conclude({ code: 1 }), { text: /\n2 passed, 1 failed\n$/, code: 1 }, "tap fails for no test");
  const none = { passed: 0, failed: 0, skipped: 3 };
  t.match(conclude({ counts: none }), { text: /No test ran.*\n0 passed, 0 failed, 3 skipped\n$/s, code: 1 });
  const failed = { passed: 1, failed: 1, skipped: 0 };
  t.match(conclude({ code: 1, counts: failed, failures: [{ path: ["a", "one"], detail: [] }] }), {
    text: /Failed: a › one\n.*\n✗ a › one\n1 passed, 1 failed\n$/s,
    code: 1,
  });
});

t.test("a program is run with what is added to the environment", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "parallax-run-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "said");
  const script = join(directory, "say.mjs");
  await writeFile(
    script,
    `import { writeFileSync } from "node:fs"; writeFileSync(process.argv[2], [process.env.SAY, process.cwd()].join())`,
  );
  t.equal(await runNode([script, file], new AbortController().signal, { SAY: "this" }), 0);
  t.equal(await readFile(file, "utf8"), `this,${rootDir}`);
});
