/** `lab model`: computes what a queue, a deployment's bill or Lambda beside Fargate will do. Starts nothing. */
import { type Command, Option } from "commander";
import type { CliContext } from "../cli/context.ts";
import { LabError } from "../cli/lab-error.ts";
import { breakEven } from "../models/break-even.ts";
import { environmentCost } from "../models/cost.ts";
import { awsEnvironments } from "../models/environments.ts";
import { readPrices } from "../models/prices.ts";
import type { QueueParameters } from "../models/queue.ts";
import { forecastQueue, type QueueTargets } from "../models/queue-forecast.ts";
import { decimalOption, wholeOption } from "./number-option.ts";
import { breakEvenDefaults, printBreakEven, printCost } from "./print-cost.ts";
import { printQueue } from "./print-queue.ts";

const duration = { least: 0.001, most: 31_536_000, example: 60 };
const rate = { least: 0.000_001, most: 1_000_000 };

/** What the queue cannot do without, each with its name in `make` and the published study's figure. */
const needed = [
  { flag: "arrivals", make: "ARRIVALS", example: 58 },
  { flag: "service", make: "SERVICE_SECONDS", example: 3 },
  { flag: "workers", make: "WORKERS", example: 5 },
] as const;

interface QueueFlags extends QueueTargets {
  arrivals?: number;
  service?: number;
  workers?: number;
  seconds: number;
  lines: number;
  drainCap?: number;
  json?: boolean;
}

interface CostFlags {
  environment?: string;
  ordersPerMonth: number;
  freeTier?: boolean;
  json?: boolean;
}

interface BreakEvenFlags {
  tasks: number;
  vcpu: number;
  taskMemory: number;
  workers: number;
  memory: number;
  duration: number;
  architecture: "x86" | "arm";
  freeTier: boolean;
  json?: boolean;
}

export function registerModelCommand(program: Command, context: CliContext): void {
  const model = program
    .command("model")
    .description("compute what a queue, an AWS bill, or Lambda beside Fargate will do; starts nothing");
  registerQueue(model, context);
  registerCost(model, context);
  registerBreakEven(model, context);
}

function registerQueue(model: Command, { output }: CliContext): void {
  model
    .command("queue")
    .description("arrivals, service time and workers: depth, drain, waits, workers needed")
    .option(
      "--arrivals <rate>",
      "orders a second (needed)",
      decimalOption("--arrivals", { ...rate, ...needed[0] }),
    )
    .option(
      "--service <seconds>",
      "how long one order takes (needed)",
      decimalOption("--service", { ...duration, ...needed[1] }),
    )
    .option(
      "--workers <count>",
      "orders worked on at the same time (needed)",
      wholeOption("--workers", { least: 1, most: 100_000, ...needed[2] }),
    )
    .option(
      "--seconds <seconds>",
      "how long orders arrive",
      decimalOption("--seconds", { ...duration, make: "FOR_SECONDS" }),
      60,
    )
    .option(
      "--lines <count>",
      "payments at the same time, 0 for no limit",
      wholeOption("--lines", { least: 0, most: 100_000, example: 1, make: "PAYMENT_LINES" }),
      0,
    )
    .option(
      "--drain-cap <seconds>",
      "tell what is left so long after the last arrivals",
      decimalOption("--drain-cap", { ...duration, least: 0, make: "DRAIN_CAP" }),
    )
    .option(
      "--max-wait <seconds>",
      "also: workers so that no order waits longer",
      decimalOption("--max-wait", { ...duration, least: 0, make: "MAX_WAIT" }),
    )
    .option(
      "--max-drain <seconds>",
      "also: workers so that all is done by then",
      decimalOption("--max-drain", { ...duration, least: 0, make: "MAX_DRAIN" }),
    )
    .option("--json", "print the figures as JSON")
    .action((flags: QueueFlags) => {
      const { arrivals, service, workers } = flags;
      if (arrivals === undefined || service === undefined || workers === undefined) throw notEnough(flags);
      const parameters: QueueParameters = {
        arrivalsPerSecond: arrivals,
        arrivalSeconds: flags.seconds,
        serviceSeconds: service,
        workers,
        paymentLines: flags.lines,
        drainCapSeconds: flags.drainCap,
      };
      const forecast = forecastQueue(parameters, flags);
      if (flags.json) output.json(forecast);
      else printQueue(forecast, output);
    });
}

function registerCost(model: Command, { output }: CliContext): void {
  model
    .command("cost")
    .description("what a deployment on AWS costs, left running and for its orders")
    .option(
      "--environment <name>",
      `one of: ${awsEnvironments.map(({ name }) => name).join(", ")}; all when left out`,
    )
    .option(
      "--orders-per-month <count>",
      "orders a month",
      wholeOption("--orders-per-month", {
        least: 0,
        most: 1e12,
        example: 1_000_000,
        make: "ORDERS_PER_MONTH",
      }),
      0,
    )
    .option("--free-tier", "take off what every account has free each month")
    .option("--no-free-tier", "do not (the default)")
    .option("--json", "print the figures as JSON")
    .action((flags: CostFlags) => {
      const chosen = awsEnvironments.filter(({ name }) => (flags.environment ?? name) === name);
      if (chosen.length === 0) throw noSuchEnvironment(flags.environment ?? "");
      const prices = readPrices();
      const costs = chosen.map((environment) => ({
        environment,
        cost: environmentCost(environment, prices, {
          ordersPerMonth: flags.ordersPerMonth,
          freeTier: flags.freeTier === true,
        }),
      }));
      if (flags.json) {
        output.json({
          region: prices.region,
          as_of: prices.as_of,
          currency: prices.currency,
          environments: costs.map(({ environment, cost }) => ({
            ...cost,
            assumptions: environment.assumptions,
          })),
        });
      } else printCost(costs, prices, output);
    });
}

function registerBreakEven(model: Command, { output }: CliContext): void {
  const some = { least: 0.001, most: 1_000, example: 0.5 };
  model
    .command("break-even")
    .description("from how many orders a month Fargate tasks are cheaper than Lambda")
    .option(
      "--tasks <count>",
      "tasks that Lambda replaces",
      wholeOption("--tasks", { least: 1, most: 10_000, make: "TASKS" }),
      breakEvenDefaults.tasks,
    )
    .option("--vcpu <count>", "vCPUs of a task", decimalOption("--vcpu", some), 0.25)
    .option("--task-memory <GB>", "memory of a task", decimalOption("--task-memory", some), 0.5)
    .option(
      "--workers <count>",
      "workers in a task",
      wholeOption("--workers", { least: 1, most: 100_000, make: "WORKERS" }),
      breakEvenDefaults.workers,
    )
    .option("--memory <GB>", "memory of the function", decimalOption("--memory", some), 0.5)
    .option(
      "--duration <seconds>",
      "how long an order takes",
      decimalOption("--duration", { least: 0.001, most: 900, example: 3, make: "DURATION" }),
      3,
    )
    .addOption(new Option("--architecture <name>", "of both").choices(["x86", "arm"]).default("x86"))
    .option("--free-tier", "with Lambda's monthly allowance", true)
    .option("--no-free-tier", "without it")
    .option("--json", "print the figures as JSON")
    .action((flags: BreakEvenFlags) => {
      const prices = readPrices();
      const parameters = {
        tasks: flags.tasks,
        taskVcpu: flags.vcpu,
        taskMemoryGb: flags.taskMemory,
        workersPerTask: flags.workers,
        lambdaMemoryGb: flags.memory,
        durationSeconds: flags.duration,
        architecture: flags.architecture,
        freeTier: flags.freeTier,
      };
      const result = breakEven(parameters, prices);
      if (flags.json) {
        const { region, as_of, currency } = prices;
        output.json({ region, as_of, currency, parameters, ...result });
      } else printBreakEven(parameters, result, prices, output);
    });
}

function notEnough(flags: QueueFlags): LabError {
  const missing = needed.filter(({ flag }) => flags[flag] === undefined);
  const [options, variables] = [missing.map(({ flag }) => `--${flag}`), missing.map(({ make }) => make)];
  const all = {
    make: needed.map(({ make, example }) => `${make}=${example}`).join(" "),
    lab: needed.map(({ flag, example }) => `--${flag} ${example}`).join(" "),
  };
  return new LabError("USAGE", `A queue needs ${options.join(", ")} (with make: ${variables.join(", ")}).`, {
    remedy: `make model WHAT=queue ${all.make}, or node lab model queue ${all.lab}; "node lab model queue --help" lists all options.`,
  });
}

function noSuchEnvironment(name: string): LabError {
  return new LabError("USAGE", `--environment ${name}: there is no deployment of that name.`, {
    remedy: `Name one of: ${awsEnvironments.map((environment) => environment.name).join(", ")}.`,
  });
}
