/** `lab scale`: another number of workers for a system that runs, until it is started anew. */
import type { Command } from "commander";
import { type CliContext, openRuntime } from "../cli/context.ts";
import { LabError } from "../cli/lab-error.ts";
import { labPaths } from "../paths.ts";
import { lockCommand, lockExperiment } from "../runtimes/command-lock.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import { ordersWiring } from "../systems/orders/order-queue.ts";
import { wholeOption } from "./number-option.ts";

/** Which part of a system has workers, and the variable that says how many. */
const scalable = { orders: { part: "orders-processor", variable: "NUM_WORKERS" } } as const;
const mostWorkers = 1_000;

interface Flags {
  system?: string;
  workers?: number;
  json?: boolean;
}

interface Scaled {
  part: string;
  before: number;
  after: number;
}

export function registerScaleCommand(program: Command, context: CliContext): void {
  program
    .command("scale")
    .description("another number of workers for a running system")
    .option("--system <name>", `the system: ${Object.keys(scalable).join(", ")}`)
    .option(
      "--workers <count>",
      `workers, 1 to ${mostWorkers}`,
      wholeOption("--workers", { least: 1, most: mostWorkers, example: 20, make: "WORKERS" }),
    )
    .option("--json", "print the counts as JSON")
    .action(async (flags: Flags) => {
      const { part, variable } = scalableSystem(flags.system);
      const workers = flags.workers;
      if (workers === undefined) throw usage("There is no number of workers.");
      const { runtime, settings } = await openRuntime(context);
      // Tells a lab that is down before anything is made in its directory.
      await assertWorkers(runtime);
      using _command = lockCommand(labPaths(settings.labDir));
      using _experiment = lockExperiment(settings.labDir, "An experiment is running on this lab.");
      const scaled = await scale(runtime, context, { part, variable, workers });
      if (flags.json) context.output.json(scaled);
      else await explain(scaled, runtime, context);
    });
}

async function scale(
  runtime: Runtime,
  { output }: CliContext,
  { part, variable, workers }: { part: string; variable: string; workers: number },
): Promise<Scaled> {
  const before = await countOf(runtime, part, variable);
  if (before === workers) return { part, before, after: workers };
  const began = performance.now();
  output.begin(
    `Scaling ${part} from ${before} to ${workers}; what it has in hand is finished or handed back`,
  );
  const { parts } = await runtime.status();
  const overrides = parts.find(({ name }) => name === part)?.overrides ?? {};
  await runtime.configure(part, { ...overrides, [variable]: String(workers) });
  output.done(`${part} is healthy (${((performance.now() - began) / 1_000).toFixed(1)} s)`);
  return { part, before, after: await countOf(runtime, part, variable) };
}

async function explain(
  { part, before, after }: Scaled,
  runtime: Runtime,
  { output }: CliContext,
): Promise<void> {
  if (before === after) {
    output.line(`${part} has ${after} workers already.`);
    return;
  }
  output.line(`${part}: ${before} workers before, ${after} now.`);
  const lines = await countOf(runtime, "orders-payments", "PAYMENT_CONCURRENCY");
  if (lines > 0 && lines < after) {
    output.line(
      `The payment provider takes ${lines} at a time (PAYMENT_CONCURRENCY): more workers than that wait for it.`,
    );
  }
  output.line(`Until the next "make up", experiment or "make down"; NUM_WORKERS=${after} in .env keeps it.`);
}

async function countOf(runtime: Runtime, part: string, variable: string): Promise<number> {
  const { [variable]: value } = await runtime.variables(part, [variable]);
  return Number(value);
}

async function assertWorkers(runtime: Runtime): Promise<void> {
  if ((await ordersWiring(runtime)).consumer === "workers") return;
  throw new LabError("USAGE", "With CONSUMER=lambda there are no workers to scale.", {
    reason: "A Lambda function takes the orders, and as many of it run as there are orders.",
    remedy: "Start the lab with CONSUMER=workers.",
  });
}

function scalableSystem(name: string | undefined) {
  if (name === undefined) throw usage("There is no system to scale.");
  if (Object.hasOwn(scalable, name)) return scalable[name as keyof typeof scalable];
  throw usage(`There is no system "${name}" with workers.`);
}

function usage(what: string): LabError {
  const systems = Object.keys(scalable).join(", ");
  return new LabError("USAGE", what, {
    remedy: `For example: make scale SYSTEM=orders WORKERS=20. Systems with workers: ${systems}.`,
  });
}
