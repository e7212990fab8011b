/** `lab engine`: installs and starts a Docker engine on Debian and Ubuntu, after showing what it will do. */
import type { Command } from "commander";
import { canAsk, confirm } from "../cli/confirm.ts";
import type { CliContext } from "../cli/context.ts";
import { ensureEngine, type UsableDocker } from "../docker/install/ensure-engine.ts";
import { type Step, showStep } from "../docker/install/plan.ts";
import { thisMachine } from "../docker/install/system.ts";

export function registerEngineCommand(program: Command, context: CliContext): void {
  program
    .command("engine")
    .description("install and start a Docker engine on Debian and Ubuntu; asks first")
    .option("--yes", "do not ask")
    .action(async (options: { yes?: boolean }) => {
      const { output } = context;
      let steps: readonly Step[] = [];
      const docker = await ensureEngine({
        machine: thisMachine(context.environment),
        signal: context.signal,
        interactive: canAsk(context),
        confirm: async (planned, sudo) => {
          steps = planned;
          print(planned, sudo, context);
          if (!agreed(options, context)) await askFor(context);
        },
        onStep: ({ why }, index) => output.begin(`${index + 1} of ${steps.length}: ${why}`),
      });
      report(docker, steps.length > 0, context);
    });
}

/** Agreed to beforehand: by the option, or by the environment of somebody who cannot be asked. */
function agreed(options: { yes?: boolean }, { environment }: CliContext): boolean {
  return options.yes === true || environment.YES === "1" || environment.CI === "true";
}

function askFor(context: CliContext): Promise<void> {
  return confirm(context, {
    question: "Do this?",
    declined: "Nothing was changed.",
    remedy: 'Agree beforehand: "make engine YES=1", or "node lab engine --yes".',
  });
}

/** Everything that will be run and written, so that it can be judged, or done by hand. */
function print(steps: readonly Step[], sudo: boolean, { output }: CliContext): void {
  output.line(sudo ? "This will be done as root, through sudo:" : "This will be done:");
  steps.forEach((step, index) => {
    output.line();
    output.line(`${index + 1}. ${step.why}`);
    for (const line of showStep(step, sudo)) output.line(`   ${line}`);
  });
  output.line();
}

function report(docker: UsableDocker, changed: boolean, { output }: CliContext): void {
  const versions = `Docker engine ${docker.engine} at ${docker.host}, Compose ${docker.compose}, buildx ${docker.buildx}`;
  output.done(changed ? `${versions}: ready` : `${versions}: nothing to do`);
  if (docker.log !== undefined) {
    output.done(`The engine runs until this machine stops; its log is ${docker.log}`);
  }
}
