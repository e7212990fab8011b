/** The service of known speed and its runtime, without a load. */
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { TIMED_SERVICE, TimedRuntime } from "../../src/calibration/timed-runtime.ts";
import { isAlive } from "../../src/util/processes.ts";

async function ask(runtime: TimedRuntime, body: string): Promise<{ text: string; ms: number }> {
  const began = performance.now();
  const response = await fetch(`${runtime.endpoint()}/echo`, { method: "POST", body });
  return { text: await response.text(), ms: performance.now() - began };
}

t.test("it answers with what it was sent, not before its time, as it was configured", async (t) => {
  await using runtime = new TimedRuntime();
  t.match(await runtime.up(), { state: "running", parts: [{ name: TIMED_SERVICE, overrides: {} }] });
  await runtime.configure(TIMED_SERVICE, { SERVICE_MS: "80", JITTER: "0" });
  const [one, other] = await Promise.all([ask(runtime, "one"), ask(runtime, "other")]);
  t.match(one, { text: "one" });
  t.match(other, { text: "other" });
  t.ok(Math.min(one.ms, other.ms) >= 80, `${one.ms} and ${other.ms} ms`);
  t.match(await runtime.status(), { parts: [{ overrides: { SERVICE_MS: "80" } }] });
  await runtime.configure(TIMED_SERVICE, {});
  t.match(await runtime.status(), { parts: [{ overrides: {} }] });
  await runtime.configure(TIMED_SERVICE, { SERVICE_MS: "1", JITTER: "0" });
  const fastest = Math.min(
    ...(await Promise.all([1, 2, 3, 4, 5].map(() => ask(runtime, "")))).map(({ ms }) => ms),
  );
  t.ok(fastest < 80, `${fastest} ms`);
  const [usage] = await runtime.usage();
  if (process.platform === "linux") t.ok((usage?.memory_mb ?? 0) > 1);
});

t.test("each configuration is a process of its own, and none is left", async (t) => {
  const runtime = new TimedRuntime();
  const pids = [];
  for (const seed of ["1", "2"]) {
    await runtime.configure(TIMED_SERVICE, { SEED: seed });
    pids.push((await runtime.status()).parts[0]?.pid as number);
  }
  t.equal(new Set(pids).size, 2);
  t.match(await runtime.down(), { was_running: true });
  t.match(await runtime.down(), { was_running: false });
  t.same(pids.filter(isAlive), []);
  t.throws(() => runtime.endpoint(), { code: "NOT_RUNNING" });
});

t.test("its death is a failure of the lab, which the engine ends a run for", async (t) => {
  await using runtime = new TimedRuntime();
  await runtime.up();
  await runtime.kill(TIMED_SERVICE, "SIGKILL");
  const status = await waitFor("the failure", async () => {
    const seen = await runtime.status();
    return seen.state === "failed" && seen;
  });
  t.match(status.failure, { part: TIMED_SERVICE, what: /SIGKILL/ });
});

t.test("settings that make no sense are told with its own words", async (t) => {
  await using runtime = new TimedRuntime();
  await t.rejects(runtime.configure(TIMED_SERVICE, { SERVICE_MS: "slow" }), {
    code: "NOT_HEALTHY",
    reason: /exit code 1/,
  });
  t.match(
    (
      await Array.fromAsync(
        runtime.logs({ parts: [], follow: false, tail: 200, signal: AbortSignal.timeout(1000) }),
      )
    )
      .map(({ line }) => line)
      .join("\n"),
    "SERVICE_MS",
  );
});

t.test("a client that goes away in the middle harms nobody", async (t) => {
  await using runtime = new TimedRuntime();
  await runtime.configure(TIMED_SERVICE, { SERVICE_MS: "50", JITTER: "0" });
  const leaving = new AbortController();
  const asked = fetch(`${runtime.endpoint()}/echo`, { method: "POST", body: "x", signal: leaving.signal });
  setImmediate(() => leaving.abort());
  await t.rejects(asked, { name: "AbortError" });
  t.match(await ask(runtime, "next"), { text: "next" });
});
