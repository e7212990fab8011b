/**
 * `lab redrive`: dead letters back to their queue. Nobody is asked first: an order's effect happens once however often it is
 * delivered, and what cannot be handled ends up among the dead letters again.
 */
import type { QueueOperator } from "@parallax/messaging";
import type { Command } from "commander";
import { type CliContext, openRuntime } from "../cli/context.ts";
import { LabError, messageOf } from "../cli/lab-error.ts";
import { lockExperiment } from "../runtimes/command-lock.ts";
import { brokerAccess, openQueue } from "../systems/orders/order-queue.ts";
import { wholeOption } from "./number-option.ts";

interface Flags {
  limit?: number;
  json?: boolean;
}

interface Redriven {
  /** Dead letters before. */
  there: number;
  moved: number;
  /** Dead letters after. */
  left: number;
}

export function registerRedriveCommand(program: Command, context: CliContext): void {
  program
    .command("redrive")
    .description("send dead-lettered orders back to the queue")
    .option(
      "--limit <count>",
      "move so many at the most; all of them when left out",
      wholeOption("--limit", { least: 1, most: 1_000_000, example: 10, make: "LIMIT" }),
    )
    .option("--json", "print the counts as JSON")
    .action(async (flags: Flags) => {
      const { output } = context;
      const { runtime, settings } = await openRuntime(context);
      const access = await brokerAccess(runtime);
      // It would change what the experiment counts as dead.
      using _experiment = lockExperiment(settings.labDir, "An experiment is running on this lab.");
      await using queue = openQueue(access);
      const report = await redrive(queue, context, flags.limit);
      if (flags.json) output.json(report);
      else print(report, context);
    });
}

/** @throws LabError INTERRUPTED or COMMAND_FAILED, with what had been moved by then */
export async function redrive(
  queue: QueueOperator,
  context: Pick<CliContext, "output" | "signal">,
  limit?: number,
): Promise<Redriven> {
  const { output, signal } = context;
  let moved = 0;
  const tell = (count: number) => {
    moved = count;
  };
  try {
    const there = (await queue.depth()).deadLettered;
    if (there === 0) return { there, moved, left: 0 };
    output.begin(`Moving ${dead(Math.min(there, limit ?? there))} back to the queue`);
    const options = { signal, onMoved: tell };
    ({ moved } = await queue.redrive(limit === undefined ? options : { ...options, limit }));
    return { there, moved, left: (await queue.depth()).deadLettered };
  } catch (cause) {
    if (signal.aborted) {
      throw new LabError("INTERRUPTED", "Interrupted.", {
        reason: `${dead(moved)} moved; the others are where they were.`,
        cause,
      });
    }
    throw new LabError("COMMAND_FAILED", "The dead letters could not all be moved.", {
      reason: `${messageOf(cause)} (${dead(moved)} moved)`,
      remedy: 'See "make status"; "make redrive" goes on with those that are left.',
      cause,
    });
  }
}

function print({ there, moved, left }: Redriven, { output }: CliContext): void {
  if (there === 0) {
    output.line("There are no dead letters.");
    return;
  }
  output.line(`${dead(there)} there, ${moved} moved back to the queue, ${left} left.`);
  output.line("What no worker can handle becomes a dead letter again: see make queue-depth.");
}

function dead(count: number): string {
  return `${count} dead ${count === 1 ? "letter" : "letters"}`;
}
