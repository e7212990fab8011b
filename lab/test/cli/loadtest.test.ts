/** What can be wrong with the words of `lab loadtest` is told before anything is started, with what exists. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { rootDir } from "../../src/paths.ts";
import { childEnvironment, runCommand } from "../../src/util/run-command.ts";

const home = t.testdir({ credentials: "", config: "" });
const labDir = join(home, "lab");

/** Without any credentials, wherever this machine may keep some. */
const nobody = {
  HOME: home,
  AWS_SHARED_CREDENTIALS_FILE: join(home, "credentials"),
  AWS_CONFIG_FILE: join(home, "config"),
  AWS_EC2_METADATA_DISABLED: "true",
};

async function loadtest(args: readonly string[], env: Record<string, string> = {}) {
  const began = performance.now();
  const result = await runCommand(
    process.execPath,
    [join(rootDir, "lab", "src", "main.ts"), "loadtest", ...args],
    {
      env: {
        ...childEnvironment(process.env),
        ...nobody,
        RUNTIME: "process",
        LAB_DIR: labDir,
        // Should a mistake be overlooked, this ends the command before it starts a lab.
        K6: join(home, "config"),
        NODE_COMPILE_CACHE: join(home, "compiled"),
        ...env,
      },
    },
  );
  return { ...result, seconds: (performance.now() - began) / 1000 };
}

/** The longest that a command took to start and to tell what is wrong with its words. */
let startup = 0;

const mistakes: readonly [string, readonly string[], RegExp][] = [
  ["a system", ["--system", "ordres"], /no system "ordres".*Take one of: orders/s],
  ["an experiment", ["--experiment", "smoek"], /no experiment "smoek".*orders\/smoke, orders\/rate-sweep/s],
  [
    "an experiment of another system",
    ["--system", "bidding", "--experiment", "rate-sweep"],
    /no experiment "rate-sweep" of bidding.*SYSTEM=orders/s,
  ],
  ["an environment", ["--env", "azure"], /no environment "azure".*Take one of: local, aws/s],
  ["a parameter", ["--set", "raet=5"], /no parameter "raet".*rate \(20 orders a second\)/s],
  ["a parameter of the other side", ["--against", "raet=5"], /no parameter "raet".*rate \(20/s],
  [
    "a service",
    ["--set", "orders-procesor.NUM_WORKERS=5"],
    /no service "orders-procesor".*Take one of: orders-receiver/s,
  ],
  ["a service of the other side", ["--against", "oders.X=5"], /no service "oders".*orders-processor/s],
  [
    "a service of another system",
    ["--system", "bidding", "--set", "orders-processor.NUM_WORKERS=5"],
    /orders-processor is no service of bidding.*Take one of: bidding-gateway-1.*SYSTEM=orders/s,
  ],
  [
    "a variable that the lab assigns",
    ["--system", "bidding", "--set", "bidding-gateway-1.PORT=1"],
    /bidding-gateway-1\.PORT is not for a run to change: the lab assigns it.*BIDDING_API_PORT in \.env/s,
  ],
  ["a parameter that is no number", ["--set", "rate=abc"], /rate must be a number, not "abc"/],
  ["a metric without a comparison", ["--primary", "latency_p99_ms"], /nothing is compared.*--against/s],
  ["a change", ["--set", "faster"], /"faster" changes nothing that is known.*rate=50/s],
  [
    "what only both changes together make too much",
    ["--experiment", "rate-sweep", "--set", "lowest=200", "--against", "steps=8"],
    /25600\/s.* is more than this machine can make/,
  ],
  [
    "repeats of an experiment of many rows",
    ["--experiment", "worker-scaling", "--repeat", "5"],
    /has 6 rows: name the one to repeat.*--set "workers=1"/s,
  ],
  [
    "a parameter of one row that none can have",
    ["--experiment", "worker-scaling", "--set", "compress=100"],
    /compress .* cannot be 100.*from 1 to 40/s,
  ],
  [
    "a variable that follows from a parameter",
    ["--experiment", "worker-scaling", "--set", "orders-processor.NUM_WORKERS=5"],
    /NUM_WORKERS follows from workers.*Set workers=5 instead/s,
  ],
  [
    "one broker for the receiver and another one for the processor",
    ["--experiment", "brokers", "--set", "orders-receiver.BROKER=bullmq"],
    /need the same BROKER.*orders-processor\.BROKER=bullmq/s,
  ],
  ["a value", ["--set", "rate=0"], /rate \(orders a second\) cannot be 0.*from 1 to 2000/s],
  ["a fault", ["--fault", "maim:redis@1s"], /"maim:redis@1s" is no fault.*kill:orders-processor@3s/s],
  ["an option", ["--repaet", "5"], /Did you mean --repeat/],
  ["0 repeats", ["--repeat", "0"], /--repeat cannot be "0".*whole number from 1 to 100/s],
  ["repeats in words", ["--repeat", "five"], /--repeat cannot be "five"/],
  ["too many repeats", ["--repeat", "101"], /--repeat cannot be "101"/],
];

// Each command is a process of its own, and processors may be shared with much else.
t.setTimeout(300_000);

t.test("what does not exist is told with what does", async (t) => {
  t.jobs = 2;
  for (const [what, args, told] of mistakes) {
    t.test(what, { buffered: true }, async (t) => {
      const { code, stdout, stderr, seconds } = await loadtest(args);
      startup = Math.max(startup, seconds);
      t.equal(code, 2, stderr);
      t.equal(stdout, "");
      t.match(stderr, told);
      t.notMatch(stderr, /at .*\.ts:\d+/, "a mistake is no defect");
    });
  }
});

t.test("ENV=aws without credentials is told at once", async (t) => {
  const { code, stdout, stderr, seconds } = await loadtest(["--env", "aws"]);
  t.equal(code, 5, stderr);
  t.equal(stdout, "");
  t.match(stderr, /There are no credentials for AWS/);
  t.match(stderr, /AWS_ACCESS_KEY_ID.*or take ENV=local/s);
  t.ok(seconds < startup + 2, `${seconds} s, where ${startup} s are the start`);
});

t.test("ENV=aws without a deployment is told at once", async (t) => {
  const { code, stderr, seconds } = await loadtest(["--env", "aws"], {
    AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
    AWS_SECRET_ACCESS_KEY: "a-secret-that-is-none",
  });
  t.equal(code, 3, stderr);
  t.match(stderr, /Nothing is deployed to AWS.*Take ENV=local/s);
  t.notMatch(stderr, /a-secret-that-is-none|AKIA/);
  t.ok(seconds < startup + 2, `${seconds} s, where ${startup} s are the start`);
});

t.test("K6 names a program that is none", async (t) => {
  const { code, stderr } = await loadtest([]);
  t.equal(code, 5, stderr);
  t.match(stderr, /which is no k6 that runs/);
});

t.test("nothing was started by any of these", async (t) => {
  t.notOk(existsSync(join(labDir, "state.json")));
  t.notOk(existsSync(join(labDir, "logs")));
});
