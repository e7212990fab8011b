import { waitFor } from "@parallax/testkit";
import t from "tap";
import { startMark } from "../../src/util/processes.ts";
import { runCommand } from "../../src/util/run-command.ts";

const posix = { skip: process.platform === "win32" && "there is no sh" };
/** Prints the pid of a program below it, which holds its output open, and stays. */
const withChild = ["-c", "sleep 60 & echo $!; wait"];

t.test("a program runs to its end", posix, async (t) => {
  const pieces: string[] = [];
  const script = ["-c", "cat; echo bad >&2; exit 3"];
  const result = await runCommand("sh", script, { input: "good", onOutput: (text) => pieces.push(text) });
  t.same(result, { code: 3, stdout: "good", stderr: "bad\n" });
  t.same(pieces.sort(), ["bad\n", "good"]);
  t.match(await runCommand("no-such-program", []), { code: null, error: { code: "ENOENT" } });
});

t.test("a group ends with all that it has started", posix, async (t) => {
  const controller = new AbortController();
  const result = await runCommand("sh", withChild, {
    group: true,
    signal: controller.signal,
    onOutput: () => controller.abort(),
  });
  t.match(result, { code: null, error: { name: "AbortError" } });
  const below = Number(result.stdout);
  t.ok(below > 0);
  await waitFor("the program below it to end", () => startMark(below) === undefined);
});

t.test("what keeps the output open is not waited for", posix, async (t) => {
  const result = await runCommand("sh", withChild, { timeout: 2000 });
  t.match(result, { code: null, error: /took too long/ });
  const below = Number(result.stdout);
  // 0 would be this process and all around it.
  if (t.ok(below > 1)) process.kill(below, "SIGKILL");
});

t.test("nothing is started for a caller that has given up", async (t) => {
  const result = await runCommand("no-such-program", [], { signal: AbortSignal.abort() });
  t.match(result, { code: null, error: { name: "AbortError" } });
});
