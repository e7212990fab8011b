/** `lab loadtest`: runs an experiment against the running lab, shows its verdict and where its bundle is. */

import type { Command } from "commander";
import type { CliContext, SettingOptions } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import { LabError } from "../cli/lab-error.ts";
import { choose, chooseEnvironment, experiments } from "../experiments/catalogue.ts";
import { assertUsable, environments } from "../experiments/environments.ts";
import type { Experiment, Fault } from "../experiments/experiment.ts";
import { checkFaults, parseFault } from "../experiments/faults.ts";
import { lengthOf } from "../experiments/load-schedule.ts";
import { asItIs, mergeVariants, parseVariant, type Variant } from "../experiments/parameters.ts";
import { planRun } from "../experiments/plan-run.ts";
import { type NamedVariant, rowsInTurns, rowsOf } from "../experiments/rows.ts";
import { checkServiceSettings } from "../experiments/service-variables.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import { gatherResults } from "./filed-results.ts";
import { printRun } from "./print-run.ts";
import { runHere } from "./run-here.ts";
import { runInTurns } from "./run-in-turns.ts";
import { printBeside, runRows } from "./run-rows.ts";
import { type RunningLab, withLab } from "./with-lab.ts";

interface LoadtestFlags extends SettingOptions {
  system?: string;
  experiment?: string;
  env?: string;
  set?: string;
  repeat?: string;
  against?: string;
  primary?: string;
  fault: string[];
  markdown?: boolean;
  json?: boolean;
}

const MOST_REPEATS = 100;

export function registerLoadtestCommand(program: Command, context: CliContext): void {
  program
    .command("loadtest")
    .description("run an experiment under load and judge it; starts the lab when it does not run")
    .option("--system <name>", "which system; without it, the smoke test of each")
    .option("--experiment <name>", "which experiment (smoke)")
    .option("--env <name>", `where: ${environments.join(", ")}`)
    .option("--set <changes>", 'what to change, as "rate=50 orders-processor.NUM_WORKERS=5"')
    .option("--repeat <times>", "how often; comparisons need five at least")
    .option("--against <changes>", "runs in turns, as it is and with these changes, and compares: see --set")
    .option("--primary <metric>", "with --against: the metric that decides (that of the experiment)")
    .option("--runtime <name>", "what to run the lab on (RUNTIME)")
    .option(
      "--fault <fault>",
      "a signal to a part during the load, as kill:orders-processor@3s; repeatable",
      gather,
      [],
    )
    .option("--markdown", "print the table of measured and published figures as Markdown")
    .option("--json", "print the result as JSON")
    .addHelpText("after", () => `\nExperiments:\n${experiments.map(describe).join("\n")}`)
    .action((flags: LoadtestFlags) => loadtest(flags, context));
}

async function loadtest(flags: LoadtestFlags, context: CliContext): Promise<void> {
  // All that can be wrong with the words is found before anything is started.
  const environment = chooseEnvironment(flags.env);
  const chosen = choose({ system: flags.system, experiment: flags.experiment });
  const faults = flags.fault.map(parseFault);
  const variant = flags.set === undefined ? asItIs : parseVariant(flags.set);
  const against = flags.against === undefined ? undefined : parseVariant(flags.against);
  const repeats = parseRepeats(flags.repeat, against);
  if (flags.primary !== undefined && !against) {
    throw new LabError("USAGE", "--primary decides a comparison, and nothing is compared.", {
      remedy: 'Name the other side, too: --against "rate=60".',
    });
  }
  const many = repeats > 1 || against !== undefined;
  const work = chosen.map((experiment) => workOf(experiment, variant, against, many));
  const systems = [...new Set(chosen.map(({ system }) => system))];
  for (const { experiment, variants } of work) {
    for (const each of variants) {
      await checkServiceSettings(each.services, { systems });
      planRun(experiment, each, faults);
    }
  }
  await assertUsable(environment, context.root);
  // Of several systems, those that the lab runs.
  const workOn = (there: readonly string[]) =>
    work.filter(({ experiment: { system } }) => there.includes(system));
  const check = async (there: readonly string[]) => {
    for (const { experiment, variants } of workOn(there)) {
      for (const { services } of variants) {
        await checkServiceSettings(services, { systems: [experiment.system] });
      }
    }
  };
  const onLab = async (lab: RunningLab) => {
    const { json = false, markdown, primary } = flags;
    const here = workOn(lab.systems);
    for (const { experiment, variants } of here) await checkParts(experiment, variants, faults, lab.runtime);
    // Of two sides what is printed is their comparison.
    const printed = json && here.every(({ sides }) => !sides?.against);
    const results = await gatherResults(context.output, printed, async (onResult) => {
      for (const { experiment, rows, sides } of here) {
        const options = { context, ...lab, faults, json, markdown, onResult };
        if (sides) {
          await runInTurns(experiment, { ...options, ...sides, repeats, primary });
        } else if (rows.length > 1) {
          await runRows(experiment, rows, options);
        } else {
          const result = await runHere(experiment, { ...options, variant });
          onResult(result);
          if (json) continue;
          printRun(result, context.output);
          printBeside(result.beside, context.output, markdown);
        }
      }
    });
    if (results.some(({ verdict }) => verdict.outcome !== "held")) context.exitWith(exitCodes.verdict);
  };
  await withLab(context, flags, onLab, { systems: systems.length === 1 ? systems : [], check });
}

interface Work {
  readonly experiment: Experiment;
  /** Each that will be run, once. */
  readonly variants: readonly Variant[];
  readonly rows: readonly NamedVariant[];
  /** Only of what is repeated or compared. */
  readonly sides: { readonly variant: Variant; readonly against: Variant | undefined } | undefined;
}

/** @throws LabError USAGE for repeats of an experiment that has many rows */
function workOf(experiment: Experiment, variant: Variant, against: Variant | undefined, many: boolean): Work {
  const rows = rowsOf(experiment, variant);
  if (!many) return { experiment, rows, variants: rows.map((row) => row.variant), sides: undefined };
  const two = against ? undefined : rowsInTurns(experiment, variant);
  const [first, second] = two ?? [variant, against];
  const variants = second ? [first, mergeVariants(first, second)] : [first];
  return { experiment, rows: [], variants, sides: { variant: first, against: second } };
}

/**
 * @throws LabError USAGE for a lab that will not do, variables and faults of parts that it does not have, and faults that would miss
 * the load
 */
async function checkParts(
  experiment: Experiment,
  variants: readonly Variant[],
  faults: readonly Fault[],
  runtime: Runtime,
): Promise<void> {
  // Once, and not by each row or repeat.
  await experiment.assertUsable?.(runtime);
  const parts = (await runtime.status()).parts.map(({ name }) => name);
  for (const variant of variants) {
    await checkServiceSettings(variant.services, { systems: [experiment.system], parts });
    const plan = planRun(experiment, variant, faults);
    await checkFaults(plan.faults, runtime, lengthOf(plan.steps));
  }
}

function parseRepeats(text: string | undefined, against: Variant | undefined): number {
  // With something to compare, as often as a comparison needs.
  if (text === undefined) return against ? 5 : 1;
  const repeats = Number(text);
  if (Number.isInteger(repeats) && repeats >= 1 && repeats <= MOST_REPEATS) return repeats;
  throw new LabError("USAGE", `--repeat cannot be ${JSON.stringify(text)}.`, {
    remedy: `Take a whole number from 1 to ${MOST_REPEATS}.`,
  });
}

function describe({ system, name, summary, parameters }: Experiment): string {
  const set = Object.entries(parameters).map(([each, { value, meaning }]) => `${each}=${value} (${meaning})`);
  return `  ${system}/${name}  ${summary}\n      ${set.join(", ")}`;
}

function gather(value: string, before: string[]): string[] {
  return [...before, value];
}
