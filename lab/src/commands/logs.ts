/** `lab logs`: the end of the parts' logs, each line with its part's name; `--follow` goes on until Ctrl-C. */
import { type Command, InvalidArgumentError } from "commander";
import { type CliContext, openRuntime } from "../cli/context.ts";

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
      for await (const { part, line } of runtime.logs({ parts, ...options, signal })) {
        output.line(`${output.paint("cyan", part)} | ${line}`);
      }
      // Ctrl-C is how following ends, not a failure.
      if (signal.aborted && options.follow) context.exitWith(0);
    });
}

function lines(text: string): number {
  if (/^\d{1,6}$/.test(text) && Number(text) <= mostTail) return Number(text);
  throw new InvalidArgumentError(`It must be a whole number from 0 to ${mostTail}.`);
}
