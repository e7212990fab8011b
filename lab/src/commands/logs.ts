/** `lab logs`: the end of the parts' logs, each line with its part's name; `--follow` goes on until Ctrl-C. */
import { type Command, InvalidArgumentError } from "commander";
import { type CliContext, openRuntime } from "../cli/context.ts";
import { messageOf } from "../cli/lab-error.ts";
import type { LogLine, LogsOptions, Runtime } from "../runtimes/runtime.ts";
import { FUNCTION_PART, functionLines } from "../systems/orders/function-lines.ts";

const mostTail = 100_000;

export function registerLogsCommand(program: Command, context: CliContext): void {
  program
    .command("logs")
    .description("the parts' logs")
    .argument("[parts...]", "parts as named by status; all when left out")
    .option("-f, --follow", "go on printing until Ctrl-C", false)
    .option("-n, --tail <lines>", "lines of each part to begin with", lines, 50)
    .action(async (parts: string[], options: { follow: boolean; tail: number }) => {
      const { output, signal } = context;
      const { runtime } = await openRuntime(context);
      const sources = await sourcesOf(runtime, context, { parts, ...options, signal });
      const show = async (source: AsyncIterable<LogLine>) => {
        for await (const { part, line } of source) output.line(`${output.paint("cyan", part)} | ${line}`);
      };
      if (options.follow) await Promise.all(sources.map(show));
      else for (const source of sources) await show(source);
      // Ctrl-C is how following ends, not a failure.
      if (signal.aborted && options.follow) context.exitWith(0);
    });
}

/** The parts', and the function's where one takes the orders. */
async function sourcesOf(
  runtime: Runtime,
  { output }: CliContext,
  options: LogsOptions,
): Promise<AsyncIterable<LogLine>[]> {
  const { parts, signal } = options;
  const wanted = parts.length === 0 || parts.includes(FUNCTION_PART);
  const ofFunction = wanted ? await functionLines(runtime, options) : undefined;
  if (ofFunction === undefined) return [runtime.logs(options)];
  const others = parts.filter((part) => part !== FUNCTION_PART);
  if (parts.length > 0 && others.length === 0) return [ofFunction];
  return [runtime.logs({ ...options, parts: others }), asLongAsItCan(ofFunction)];

  /** The others' logs may be what says why. */
  async function* asLongAsItCan(source: AsyncIterable<LogLine>): AsyncGenerator<LogLine> {
    try {
      yield* source;
    } catch (error) {
      if (!signal.aborted) output.warn(`The function's log cannot be had: ${messageOf(error)}`);
    }
  }
}

function lines(text: string): number {
  if (/^\d{1,6}$/.test(text) && Number(text) <= mostTail) return Number(text);
  throw new InvalidArgumentError(`It must be a whole number from 0 to ${mostTail}.`);
}
