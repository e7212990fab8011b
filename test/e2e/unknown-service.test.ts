/** A variable of a service that there is not is told by a running lab, before anything is changed in it. */

import { join } from "node:path";
import t from "tap";
import { rootDir } from "../../lab/src/paths.ts";
import { childEnvironment, runCommand } from "../../lab/src/util/run-command.ts";
import { ownLab } from "../lib/own-lab.ts";

t.setTimeout(300_000);

t.test("loadtest with an unknown service or part", async (t) => {
  const { runtime, directory } = await ownLab(t);
  const before = await runtime.status();
  const loadtest = (args: readonly string[]) =>
    runCommand(process.execPath, [join(rootDir, "lab", "src", "main.ts"), "loadtest", ...args], {
      env: { ...childEnvironment(process.env), RUNTIME: "process", LAB_DIR: directory },
    });
  // An engine is no service: only services are configured.
  const set = await loadtest(["--set", "orders-processor.NUM_WORKERS=5 redis.NUM_WORKERS=5"]);
  t.equal(set.code, 2, set.stderr);
  t.match(
    set.stderr,
    /There is no service "redis" to change.*Take one of: orders-receiver, orders-payments, orders-processor/s,
  );
  const fault = await loadtest(["--fault", "kill:nobody@1s"]);
  t.equal(fault.code, 2, fault.stderr);
  t.match(fault.stderr, /There is no part "nobody".*Take one of: .*redis/s);
  const marks = ({ parts }: typeof before) =>
    parts.map(({ name, pid, restarts }) => ({ name, pid, restarts }));
  t.same(marks(await runtime.status()), marks(before), "nothing was restarted");
});
