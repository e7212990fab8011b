/** An engine that dies while services still start: it is named, at once. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import type { LabPlan, PartPlan } from "../../../src/runtimes/process/plan.ts";
import { ProcessRuntime } from "../../../src/runtimes/process/process-runtime.ts";
import { freePort } from "../../../src/util/ports.ts";

const shortLived = `
require("node:http").createServer((q, s) => s.end()).listen(+process.argv[1], "127.0.0.1");
setTimeout(() => { if (process.argv[2]) console.error(process.argv[2]); process.exit(9); }, 700);
`;
const silent = "setInterval(() => {}, 1000)";

async function part(name: string, kind: PartPlan["kind"], args: string[]): Promise<PartPlan> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  return {
    name,
    kind,
    command: process.execPath,
    args: ["-e", ...args.map((arg) => arg.replace("PORT", String(port)))],
    cwd: "/",
    environment: { PATH: process.env.PATH ?? "" },
    port,
    url,
    version: "1",
    probe: { type: "http", url },
    readyTimeout: 30_000,
    stopSignal: "SIGTERM",
    stopGrace: 3_000,
    dependsOn: kind === "service" ? ["engine"] : [],
  };
}

async function upWith(t: Test, lastWords: string): Promise<unknown> {
  const labDir = mkdtempSync(join(tmpdir(), "parallax-lab-"));
  const parts = [
    await part("engine", "engine", [shortLived, "PORT", lastWords]),
    await part("shop", "service", [silent]),
  ];
  const restarts = { firstDelay: 10, mostDelay: 50, mostDeaths: 3, window: 60_000 };
  const plan: LabPlan = { profiles: ["orders"], parts, restarts };
  const source = { parts: () => parts, prepare: async () => plan, endpoint: () => undefined };
  const runtime = new ProcessRuntime({ labDir, source });
  t.teardown(async () => {
    await runtime.down();
    rmSync(labDir, { recursive: true, force: true });
  });
  return runtime.up({ profiles: ["orders"], signal: new AbortController().signal, onEvent: () => {} });
}

t.test("an engine that dies while a service starts gets the blame, long before the timeout", async (t) => {
  const began = performance.now();
  await t.rejects(upWith(t, "out of paper"), {
    code: "PART_FAILED",
    message: /^engine ended with exit code 9/,
    reason: /log follows/,
    detail: ["out of paper"],
  });
  t.ok(performance.now() - began < 10_000);
});

t.test("no log is announced when there is none", async (t) => {
  await t.rejects(upWith(t, ""), { message: /^engine/, reason: "It logged nothing.", detail: [] });
});
