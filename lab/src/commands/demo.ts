/** `lab demo`: the lab's main job from the keyboard: up, real orders shown all the way, a short load, its verdict. */
import type { Command } from "commander";
import type { CliContext, SettingOptions } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import { choose } from "../experiments/catalogue.ts";
import { planRunOn } from "../experiments/plan-run.ts";
import { showOrders } from "./demo-orders.ts";
import { printRun } from "./print-run.ts";
import { runHere } from "./run-here.ts";
import { type RunningLab, withLab } from "./with-lab.ts";

export function registerDemoCommand(program: Command, context: CliContext): void {
  program
    .command("demo")
    .description("start the lab, follow one order from the keyboard to the database, then a short load test")
    .option("--profile <names>", "systems to show, separated by commas (PROFILE)")
    .option("--runtime <name>", "what to run the lab on (RUNTIME)")
    .action((flags: SettingOptions) => withLab(context, flags, (lab) => demo(lab, context)));
}

async function demo(lab: RunningLab, context: CliContext): Promise<void> {
  const { output } = context;
  await showOrders(lab.runtime, context);
  const { parts } = await lab.runtime.status();
  let held = true;
  for (const experiment of choose({})) {
    output.line();
    output.line(output.paint("bold", `A short load test: ${experiment.summary}`));
    const { services } = await planRunOn(lab.runtime, experiment);
    const missing = Object.keys(services).filter((service) => !parts.some(({ name }) => name === service));
    if (missing.length > 0) {
      output.line(`  Left out: it sets up ${missing.join(", ")}, which this lab runs without.`);
      continue;
    }
    const result = await runHere(experiment, { context, ...lab, faults: [] });
    printRun(result, output);
    held &&= result.verdict.outcome === "held";
  }
  output.line();
  output.line("The lab goes on running. Next: make status · make logs · make loadtest · make down");
  if (!held) context.exitWith(exitCodes.verdict);
}
