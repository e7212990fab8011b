/** `lab help <command>`: the options of a command, also of one below another, as in `lab help model queue`. */
import type { Command } from "commander";
import { LabError } from "../cli/lab-error.ts";

/** To be registered last; stands in for commander's own, which looks no further than the first word. */
export function registerHelpCommand(program: Command): void {
  program
    .helpCommand(false)
    .command("help")
    .argument("[command...]", "as loadtest, or model queue")
    .description("print the options of a command")
    .action((names: readonly string[]) => {
      let command = program;
      for (const name of names) {
        const found = command.commands.find((each) => each.name() === name || each.aliases().includes(name));
        if (!found) throw noSuchCommand(names, command);
        command = found;
      }
      command.help();
    });
}

function noSuchCommand(names: readonly string[], { commands }: Command): LabError {
  return new LabError("USAGE", `There is no command ${JSON.stringify(names.join(" "))}.`, {
    remedy:
      commands.length === 0
        ? 'Leave out the last word; "node lab help" lists the commands.'
        : `Take one of: ${commands.map((each) => each.name()).join(", ")}.`,
  });
}
