/** `lab queue-depth`: how much is queued, a line a second, until Ctrl-C; with a bar on a terminal. */
import type { Command } from "commander";
import { type CliContext, openRuntime } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import type { Output } from "../cli/output.ts";
import { brokerTitle } from "../systems/orders/order-queue.ts";
import { type QueueReading, watchQueue } from "../systems/orders/watch-queue.ts";
import { wholeOption } from "./number-option.ts";

const mostSeconds = 86_400;
const header = "TIME      VISIBLE  IN FLIGHT  DELAYED  DEAD-LETTERED";
const widestBar = 60;

interface Flags {
  for?: number;
  json?: boolean;
}

export function registerQueueDepthCommand(program: Command, context: CliContext): void {
  program
    .command("queue-depth")
    .description("how many orders are queued, once a second until Ctrl-C")
    .option(
      "--for <seconds>",
      "end after so many seconds",
      wholeOption("--for", { least: 1, most: mostSeconds, example: 60, make: "FOR_SECONDS" }),
    )
    .option("--json", "print each reading as a line of JSON")
    .action((flags: Flags) => showDepth(context, flags));
}

async function showDepth(context: CliContext, flags: Flags): Promise<void> {
  const { output, signal } = context;
  // Settings that make no sense are told at once, not once a second.
  let { runtime } = await openRuntime(context);
  let first = true;
  const open = async () => {
    if (!first) ({ runtime } = await openRuntime(context));
    first = false;
    return runtime;
  };
  const show = flags.json ? showJson(output) : showLines(output);
  let known = false;
  let begun = false;
  for await (const reading of watchQueue({ open, signal, count: flags.for })) {
    // One that goes down while it is watched is waited for; one that was never there would be waited for in vain.
    if (!begun && reading.state === "lab-down") throw reading.error;
    begun = true;
    known ||= reading.state === "known";
    show(reading);
  }
  // Ctrl-C is how watching without an end ends, not a failure.
  if (flags.for === undefined) context.exitWith(exitCodes.ok);
  else signal.throwIfAborted();
  if (flags.for !== undefined && !known) context.exitWith(exitCodes.notRunning);
}

function showJson(output: Output): (reading: QueueReading) => void {
  return (reading) => output.line(JSON.stringify(asJson(reading)));
}

/** The same keys in every line; what is not known is null. */
export function asJson(reading: QueueReading) {
  const depth = reading.state === "known" ? reading.depth : undefined;
  return {
    at: reading.at.toISOString(),
    state: reading.state,
    broker: reading.state === "lab-down" ? null : (reading.broker ?? null),
    visible: depth?.visible ?? null,
    in_flight: depth?.inFlight ?? null,
    delayed: depth?.delayed ?? null,
    dead_lettered: depth?.deadLettered ?? null,
    reason: reading.state === "known" ? null : reading.reason,
  };
}

/** A line a reading; a header before the first one, and where the broker changes. */
export function showLines(output: Output): (reading: QueueReading) => void {
  let scale = 10;
  let shown: string | undefined;
  return (reading) => {
    const time = reading.at.toTimeString().slice(0, 8);
    if (reading.state !== "known") {
      const what = reading.state === "lab-down" ? "the lab is down" : "the broker is away";
      output.line(`${time}  ${output.paint("yellow", what)}: ${reading.reason}`);
      return;
    }
    if (shown !== reading.broker) {
      shown = reading.broker;
      output.line(output.paint("dim", `The orders' queue: ${brokerTitle(reading.broker)}`));
      output.line(output.paint("bold", header));
    }
    const { visible, inFlight, delayed, deadLettered } = reading.depth;
    const text = [
      time,
      String(visible).padStart(7),
      String(inFlight).padStart(9),
      String(delayed).padStart(7),
      String(deadLettered).padStart(13),
    ].join("  ");
    scale = Math.max(scale, roundUp(visible + inFlight + delayed));
    const room = Math.min(widestBar, (output.columns ?? 0) - header.length - String(scale).length - 5);
    output.line(room < 10 ? text : `${text}  ${bar([visible + delayed, inFlight], scale, room, output)}`);
  };
}

/** What waits and what is in hand, one behind the other, and what a whole bar stands for. */
function bar([waiting, inHand]: readonly [number, number], scale: number, room: number, output: Output) {
  const all = cells(waiting + inHand, scale, room);
  const front = Math.min(all, cells(waiting, scale, room));
  const rest = " ".repeat(room - all);
  const drawn = output.paint("cyan", "█".repeat(front)) + output.paint("dim", "▒".repeat(all - front));
  return `${drawn}${rest} ${output.paint("dim", `│ ${scale}`)}`;
}

/** Whatever is there at all is seen. */
function cells(count: number, scale: number, room: number): number {
  return Math.min(room, Math.ceil((count / scale) * room));
}

/** To 1, 2 or 5 times a power of ten, so that the scale changes seldom. */
export function roundUp(count: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, count)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= count) ?? count;
}
