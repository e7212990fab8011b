/** Experiments are exclusive, and what a killed one leaves configured is reset when none runs. */
import { join } from "node:path";
import t from "tap";
import { Output } from "../../src/cli/output.ts";
import { printStatus } from "../../src/commands/status.ts";
import { resetLeftovers } from "../../src/commands/up.ts";
import { assertNoExperiment, lockExperiment } from "../../src/runtimes/command-lock.ts";
import type { LabStatus, PartStatus } from "../../src/runtimes/runtime.ts";

function part(name: string, overrides: Record<string, string>): PartStatus {
  return {
    name,
    kind: "service",
    state: "running",
    pid: 1,
    container: null,
    port: 1,
    url: "",
    restarts: 0,
    uptime_seconds: 1,
    memory_mb: 1,
    cpu_seconds: 1,
    network_rx_bytes: null,
    network_tx_bytes: null,
    throttled_seconds: null,
    version: "1",
    overrides,
  };
}

const status: LabStatus = {
  runtime: "process",
  state: "running",
  profiles: ["orders"],
  since: null,
  parts: [part("orders-receiver", {}), part("orders-payments", { PAYMENT_SECONDS: "0.2" })],
};

t.test("a second experiment is refused until the first has ended", async (t) => {
  const labDir = join(t.testdir(), "lab");
  const first = lockExperiment(labDir);
  t.throws(() => lockExperiment(labDir), { code: "BUSY", message: /Another experiment/, remedy: /Wait/ });
  first.release();
  lockExperiment(labDir).release();
});

t.test("a lab is not stopped under an experiment by mistake", async (t) => {
  const labDir = join(t.testdir(), "lab");
  assertNoExperiment(labDir);
  const running = lockExperiment(labDir);
  t.throws(() => assertNoExperiment(labDir), { code: "BUSY", remedy: /Wait.*; "make down FORCE=1" stops/ });
  running.release();
  assertNoExperiment(labDir);
});

t.test("leftovers are reset, but not under a running experiment", async (t) => {
  const labDir = join(t.testdir(), "lab");
  const configured: unknown[] = [];
  const runtime = { configure: async (...args: unknown[]) => void configured.push(args) };
  const running = lockExperiment(labDir);
  t.same(await resetLeftovers(runtime, labDir, status), []);
  running.release();
  t.same(await resetLeftovers(runtime, labDir, status), ["orders-payments"]);
  t.same(configured, [["orders-payments", {}]]);
  lockExperiment(labDir).release();
});

t.test("status tells what an experiment has set", async (t) => {
  let text = "";
  const sink = { write: (more: string) => (text += more) };
  printStatus(status, new Output({ stdout: sink, stderr: sink, environment: {} }));
  t.match(text, "orders-payments runs with PAYMENT_SECONDS=0.2 (set by an experiment, or by make scale)");
  t.notMatch(text, "orders-receiver runs with");
});
