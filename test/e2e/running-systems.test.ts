/** A lab that runs one of the systems: commands without PROFILE take it as it is, and those of the other system say what to do. */

import { join } from "node:path";
import t from "tap";
import { rootDir } from "../../lab/src/paths.ts";
import { portSettings, portVariables } from "../../lab/src/settings.ts";
import { childEnvironment, runCommand } from "../../lab/src/util/run-command.ts";
import { ownLab } from "../lib/own-lab.ts";

// Only where NATS or Redis has to be fetched first; each command is a process of its own.
t.setTimeout(300_000);

const { runtime, settings, directory } = await ownLab(t, { PROFILE: "bidding" });
const ports = portVariables.map((name) => [name, String(settings.ports[portSettings[name]])]);

function run(args: readonly string[], env: Record<string, string> = {}) {
  return runCommand(process.execPath, [join(rootDir, "lab", "src", "main.ts"), ...args], {
    env: {
      ...childEnvironment(process.env),
      ...Object.fromEntries(ports),
      RUNTIME: "process",
      LAB_DIR: directory,
      ...env,
    },
    timeout: 90_000,
  });
}

const before = await runtime.status();

t.test("up without PROFILE is for the lab that runs", async (t) => {
  const { code, stdout, stderr } = await run(["up"]);
  t.equal(code, 0, stderr);
  t.match(stderr, /Starting bidding on the process runtime[\s\S]*has been running since/);
  t.match(stdout, "bidding-gateway-1");
  t.notMatch(stdout, "orders-receiver");
});

t.test("up with another PROFILE is refused, with the command for the lab that runs", async (t) => {
  for (const args of [
    ["up", "--profile", "orders"],
    ["up", "--profile", "all"],
  ]) {
    const { code, stderr } = await run(args);
    t.equal(code, 6, stderr);
    t.match(
      stderr,
      /A lab with profile bidding is running\.[\s\S]*make down[\s\S]*"make up PROFILE=bidding"/,
    );
  }
  t.equal((await run(["up"], { PROFILE: "orders" })).code, 6, "the environment gives it, too");
});

t.test("commands that need orders say how to get them, in the same words", async (t) => {
  for (const args of [
    ["queue-depth"],
    ["queue-depth", "--for", "1", "--json"],
    ["redrive"],
    ["scale", "--system", "orders", "--workers", "2"],
    ["loadtest", "--system", "orders"],
  ]) {
    const { code, stdout, stderr } = await run(args);
    t.equal(code, 2, stderr);
    t.equal(stdout, "");
    t.match(stderr, /The lab runs without orders\.\n {2}fix: Run "make down", then "make up PROFILE=orders"/);
  }
});

t.test("variables of services that it runs without are refused before a run is made", async (t) => {
  const other = await run(["loadtest", "--set", "orders-processor.NUM_WORKERS=5"]);
  t.equal(other.code, 2, other.stderr);
  t.match(
    other.stderr,
    /orders-processor is no service of bidding\.\n {2}fix: Take one of: bidding-gateway-1/,
  );
  const second = await run([
    "loadtest",
    "--system",
    "bidding",
    "--set",
    "bidding-gateway-2.BID_METHOD=watch",
  ]);
  t.equal(second.code, 2, second.stderr);
  t.match(
    second.stderr,
    /The lab runs without bidding-gateway-2\.\n {2}fix: Take one of: bidding-gateway-1, bidding-broadcaster, bidding-archiver\./,
  );
  for (const { stderr } of [other, second]) t.notMatch(stderr, /setting up|results\//);
});

t.test("nothing was started, restarted or stopped by any of these", async (t) => {
  const marks = ({ parts }: typeof before) => parts.map(({ name, pid }) => ({ name, pid }));
  t.same(marks(await runtime.status()), marks(before));
});
