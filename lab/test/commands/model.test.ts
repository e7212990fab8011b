import t from "tap";
import { runLab } from "./run-lab.ts";

const lab = (line: string) => runLab(line.split(" "));

t.test("the queue: three models side by side, and the workers needed", async (t) => {
  const { code, stdout } = await lab(
    "model queue --arrivals 58 --service 3 --workers 100 --seconds 60 --max-wait 10 --max-drain 10 --drain-cap 30",
  );
  t.equal(code, 0);
  t.match(stdout, /published formula +even arrivals +random arrivals, median of 25/);
  t.match(stdout, /peak depth \(waiting \+ in flight\) +1,480 +1,580 +1,6/);
  t.match(stdout, /peak waiting +1,480/);
  t.match(stdout, /left 30 s after them +480 +579/);
  t.match(stdout, /to keep up: 174/);
  t.match(stdout, /waits more than 10 s: 149/);
  t.match(stdout, /done 10 s after the last: 156/);
  t.notMatch(stdout, "\u001b", "no colour off a terminal");
});

t.test("the queue as JSON; payment lines limit the workers", async (t) => {
  const { stdout } = await lab("model queue --arrivals 58 --service 3 --workers 20 --lines 1 --json");
  const forecast = JSON.parse(stdout);
  t.match(forecast, {
    effectiveWorkers: 1,
    fluid: { peakDepth: 3460, drainSeconds: 10_380 },
    even: { peakDepth: 3461 },
    random: { runs: 25 },
    workersNeeded: { "to keep up": { reason: /no more than 1 at a time/ } },
  });
  t.notOk("steadyState" in forecast);
});

t.test("workers that keep up have a steady state; too many orders are not tried at random", async (t) => {
  t.match(
    (await lab("model queue --arrivals 58 --service 3 --workers 180")).stdout,
    /5\d\.\d % of them would wait/,
  );
  const many = await lab("model queue --arrivals 100000 --service 3 --workers 100 --seconds 3600");
  t.match(many, { code: 0, stdout: /too many to try/ });
});

t.test("what a deployment costs", async (t) => {
  const { code, stdout } = await lab("model cost --environment orders --orders-per-month 1000000");
  t.equal(code, 0);
  t.match(stdout, /NAT gateway +0\.0450 +32\.85/);
  t.match(stdout, /1 semester, 4 months +404\.94/);
  t.match(stdout, /A month with 1,000,000 orders, without the free tier: 101\.24 running/);
  t.match(stdout, /us-west-2 in USD as of 2026-11-21/);
  t.match(stdout, /not confirmed for that region: .*alb\.lcu_hour/);
  t.match(stdout, /running \+ 3\.74 used by orders \+ 0\.05 idle polling = 105\.03 USD/);
  t.match(stdout, /idle polling, also without an order: 131,400 SQS requests a month, 0\.05 USD/);
  t.notMatch(stdout, "orders-lambda");
  const json = JSON.parse((await lab("model cost --free-tier --json")).stdout);
  t.same(
    json.environments.map(({ environment }: { environment: string }) => environment),
    ["orders", "orders-lambda"],
  );
});

t.test("Lambda beside Fargate", async (t) => {
  const { stdout } = await lab("model break-even --tasks 2");
  t.match(stdout, /18\.02 USD a month/);
  t.match(stdout, /takes nothing up to +266,666 orders a month/);
  t.match(stdout, /no dearer up to +987,467 orders a month/);
  t.match(stdout, /Compared: 2 tasks of 20 workers, with the free tier\. Unless told: 1 task /);
  t.match((await lab("model break-even --tasks 2 --no-free-tier --json")).stdout, '"ordersPerMonth": 715079');
  const large = await lab("model break-even --vcpu 4 --task-memory 8 --workers 1");
  t.match(large.stdout, /Lambda is cheaper wherever they suffice/);
});

t.test("bad input is refused with the name of the option", async (t) => {
  const queue = "model queue --arrivals 58 --service 3 --workers 5";
  for (const [line, option] of [
    ["model queue --arrivals 0 --service 3 --workers 5", "--arrivals 0"],
    ["model queue --arrivals x --service 3 --workers 5", "--arrivals x"],
    ["model queue --arrivals 58 --service NaN --workers 5", "--service NaN"],
    ["model queue --arrivals 58 --service 3 --workers 1.5", "--workers 1.5"],
    ["model queue --arrivals 58 --service 3", "--workers"],
    [`${queue} --seconds -1`, "--seconds"],
    [`${queue} --lines -1`, "--lines"],
    [`${queue} --max-wait soon`, "--max-wait soon"],
    ["model cost --environment nope", "--environment nope"],
    ["model cost --orders-per-month 1e3", "--orders-per-month 1e3"],
    ["model break-even --duration 901", "--duration 901"],
    ["model break-even --architecture z80", "--architecture"],
  ] as const) {
    const { code, stdout, stderr } = await lab(line);
    t.equal(code, 2, line);
    t.equal(stdout, "", line);
    t.ok(stderr.includes(option), `${line}: ${stderr}`);
  }
});

t.test("what a queue needs is named in both spellings, and so is a number that would do", async (t) => {
  t.match(
    (await lab("model queue --service 3")).stderr,
    /needs --arrivals, --workers \(with make: ARRIVALS, WORKERS\)/,
  );
  t.match(
    (await lab("model queue --arrivals -1")).stderr,
    /fix: For example: --arrivals 58, or with make ARRIVALS=58/,
  );
});

t.test("help reaches a command below another", async (t) => {
  t.match(await lab("help model queue"), { code: 0, stdout: /--drain-cap/ });
  t.match(await lab("help model nope"), { code: 2, stderr: /"model nope".*queue, cost, break-even/s });
});
