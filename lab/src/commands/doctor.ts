/** `lab doctor`: checks this machine and says how to mend what is missing. Exits with 5 when something fails. */
import type { Command } from "commander";
import { type CliContext, loadSettings, openRuntime } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import { LabError } from "../cli/lab-error.ts";
import { checkMachine } from "../doctor/checks.ts";
import { type Examination, prepareExamination } from "../doctor/examination.ts";
import { type Finding, failed, limited } from "../doctor/finding.ts";
import type { LabStatus } from "../runtimes/runtime.ts";
import type { Settings } from "../settings.ts";

const marks = { ok: ["green", "✓"], warn: ["yellow", "!"], fail: ["red", "✗"] } as const;

export function registerDoctorCommand(program: Command, context: CliContext): void {
  program
    .command("doctor")
    .description("check this machine for what the lab needs")
    .option("--json", "print the findings as JSON")
    .action(async (options: { json?: boolean }) => {
      const findings = await examine(context);
      const failed = findings.some(({ state }) => state === "fail");
      if (options.json) context.output.json({ ok: !failed, findings });
      else print(findings, context);
      if (failed) context.exitWith(exitCodes.prerequisite);
    });
}

/** Settings that are not valid are a finding too, the first one to mend. */
async function examine(context: CliContext): Promise<Finding[]> {
  let settings: Settings;
  try {
    settings = loadSettings(context);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return [{ fix: "See the message.", ...failed("settings", error) }];
  }
  const { lab, findings } = await lookAtLab(context, settings);
  const examination = await prepareExamination({ settings, root: context.root, ...lab });
  return [...findings, ...(await checkMachine(examination))];
}

/** Also when the lab cannot be asked, or does not answer: the other findings will say why. */
async function lookAtLab(
  context: CliContext,
  settings: Settings,
): Promise<{ lab: Pick<Examination, "status" | "runtime" | "because">; findings: Finding[] }> {
  try {
    const lab = await limited(async () => {
      const { runtime, because } = await openRuntime(context);
      return { status: await runtime.status(), runtime: runtime.name, because };
    });
    return { lab, findings: [] };
  } catch (error) {
    const runtime = settings.runtime === "auto" ? "process" : settings.runtime;
    const status: LabStatus = { runtime, state: "stopped", profiles: [], since: null, parts: [] };
    const because = `RUNTIME=${settings.runtime}`;
    const fix = 'See what the other findings say of it; "make down" ends what is left of a lab.';
    return { lab: { status, runtime, because }, findings: [{ fix, ...failed("lab", error) }] };
  }
}

function print(findings: readonly Finding[], { output }: CliContext): void {
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, state, found, fix } of findings) {
    const [style, mark] = marks[state];
    output.line(`${output.paint(style, mark)} ${check.padEnd(width)}  ${found}`);
    if (fix !== undefined) output.line(`  ${"".padEnd(width)}  fix: ${fix}`);
  }
}
