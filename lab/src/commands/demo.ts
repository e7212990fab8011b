/**
 * `lab demo`: the lab's main job from the keyboard: up, one real thing through each system, shown step by step, then a short
 * load on each with its verdict.
 */
import type { Command } from "commander";
import type { CliContext, SettingOptions } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import { choose } from "../experiments/catalogue.ts";
import { planRunOn } from "../experiments/plan-run.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { Profile } from "../settings.ts";
import { showBidding } from "./demo-bidding.ts";
import { showOrders } from "./demo-orders.ts";
import { printRun } from "./print-run.ts";
import { runHere } from "./run-here.ts";
import { type RunningLab, withLab } from "./with-lab.ts";

export function registerDemoCommand(program: Command, context: CliContext): void {
  program
    .command("demo")
    .description("start the lab, follow one thing through each system, then a short load test of each")
    .option("--profile <names>", "systems to show, separated by commas (PROFILE)")
    .option("--runtime <name>", "what to run the lab on (RUNTIME)")
    .action((flags: SettingOptions) => withLab(context, flags, (lab) => demo(lab, context)));
}

const steps: Readonly<Record<Profile, (runtime: Runtime, context: CliContext) => Promise<void>>> = {
  orders: showOrders,
  bidding: showBidding,
};

async function demo(lab: RunningLab, context: CliContext): Promise<void> {
  const { output } = context;
  for (const system of lab.systems) await steps[system](lab.runtime, context);
  const { parts } = await lab.runtime.status();
  const experiments = choose({}).filter(({ system }) => lab.systems.some((name) => name === system));
  let held = true;
  for (const experiment of experiments) {
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
