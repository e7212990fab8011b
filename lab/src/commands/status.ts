/** `lab status`: what runs, for people or as JSON. Exits with 3 unless the lab runs and is healthy. */
import type { Command } from "commander";
import { type CliContext, openRuntime } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import type { Output } from "../cli/output.ts";
import type { LabStatus, PartStatus, Runtime } from "../runtimes/runtime.ts";
import { brokerTitle, type OrdersWiring, ordersWiring } from "../systems/orders/order-queue.ts";

export function registerStatusCommand(program: Command, context: CliContext): void {
  program
    .command("status")
    .description("what runs, where, since when")
    .option("--json", "print it as JSON")
    .action(async (options: { json?: boolean }) => {
      const { runtime } = await openRuntime(context);
      const status = await runtime.status();
      const orders = await wiringOf(runtime, status);
      if (options.json) context.output.json({ ...status, orders: orders ?? null });
      else printStatus(status, context.output, orders);
      if (status.state !== "running") context.exitWith(exitCodes.notRunning);
    });
}

/** What queued orders go through; undefined for a lab that is down, or cannot be asked. */
async function wiringOf(runtime: Runtime, { parts }: LabStatus): Promise<OrdersWiring | undefined> {
  if (parts.every(({ state }) => state === "stopped")) return undefined;
  return await ordersWiring(runtime).catch(() => undefined);
}

/** What is said in place of a state where `no_engine` is. */
export const NO_ENGINE = "No Docker engine answers, and no lab is known to run on one";

/** The status as a table, with what to do when something is wrong. */
export function printStatus(status: LabStatus, output: Output, orders?: OrdersWiring): void {
  const since = status.since === null ? "" : `, since ${status.since}`;
  const what = status.no_engine ? NO_ENGINE : `The lab is ${status.state}`;
  output.line(`${what} (${status.runtime} runtime${since}).`);
  if (status.parts.length > 0) {
    output.line();
    output.table([
      [
        "PART",
        "STATE",
        status.runtime === "compose" ? "CONTAINER" : "PID",
        "URL",
        "RESTARTS",
        "UPTIME",
        "MEMORY",
        "VERSION",
      ],
      ...status.parts.map(row),
    ]);
  }
  const configured = status.parts.filter(({ overrides }) => Object.keys(overrides).length > 0);
  if (configured.length > 0 || orders) output.line();
  if (orders) output.line(`Queued orders go through ${pathOf(orders)}.`);
  for (const { name, overrides } of configured) {
    const variables = Object.entries(overrides).map(([variable, value]) => `${variable}=${value}`);
    output.line(`${name} runs with ${variables.join(" ")} (set by an experiment, or by make scale)`);
  }
  const { failure } = status;
  if (failure !== undefined) {
    output.line();
    output.line(`${failure.at}: ${failure.what}`);
    for (const line of failure.log_tail) output.line(`  | ${line}`);
  }
  const next = advice(status);
  if (next === undefined) return;
  if (status.parts.length > 0 && failure === undefined) output.line();
  output.line(next);
}

function pathOf({ broker, consumer }: OrdersWiring): string {
  const taker = consumer === "lambda" ? "a Lambda function" : "the processor's workers";
  return `${brokerTitle(broker)} to ${taker} (BROKER=${broker} CONSUMER=${consumer})`;
}

/** What to do about a lab that is not as it should be. */
function advice({ state, runtime, failure, no_engine }: LabStatus): string | undefined {
  if (no_engine) return `${no_engine.reason} ${no_engine.remedy}`;
  const compose = runtime === "compose";
  if (failure !== undefined) {
    if (compose)
      return 'Start the engine; then "make up" with the same PROFILE goes on with the lab, and "make down" removes it.';
    const being = state === "stopping" ? "is being" : "was";
    return `Everything ${being} stopped. "make logs SERVICE=${failure.part}" shows all of its log, "make up" starts anew.`;
  }
  if (state === "degraded") {
    const heal = compose ? '"make up" starts what has stopped' : '"make down" and "make up" begin anew';
    return `Not every part is healthy: see "make logs"; ${heal}.`;
  }
  return state === "stopped" ? 'Start it with "make up".' : undefined;
}

function row(part: PartStatus): string[] {
  return [
    part.name,
    part.state,
    part.container ?? (part.pid === null ? "-" : String(part.pid)),
    part.url ?? "-",
    String(part.restarts),
    part.uptime_seconds === null ? "-" : `${Math.round(part.uptime_seconds)} s`,
    part.memory_mb === null ? "-" : `${part.memory_mb} MB`,
    part.version,
  ];
}
