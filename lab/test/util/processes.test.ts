/** What a tree of processes takes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import t from "tap";
import { processTable, processTree } from "../../src/util/processes.ts";

// Asking for the time is work of the system's, so it is not asked for in each turn.
const burn =
  "const end = process.cpuUsage().user + 400_000; while (process.cpuUsage().user < end) for (let turn = 0; turn < 1e6; turn += 1);";
/** A parent of one child that burns and ends, after which the parent says so and waits. */
const parent = `
const { spawn } = require("node:child_process");
spawn(process.execPath, ["-e", ${JSON.stringify(burn)}]).once("exit", () => console.log("ended"));
setInterval(() => {}, 1000);
`;

t.test("processor time stays when a child ends", { skip: process.platform !== "linux" }, async (t) => {
  const child = spawn(process.execPath, ["-e", parent], { stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const tree = processTree(await processTable(), child.pid ?? 0);
  t.equal(tree.length, 1, "the child has gone");
  const [{ cpuSeconds, rss } = { cpuSeconds: 0, rss: 0 }] = tree;
  t.ok(cpuSeconds >= 0.4, `${cpuSeconds} s, most of them the child's`);
  t.ok(rss > 10 * 2 ** 20, `${rss} bytes`);
});
