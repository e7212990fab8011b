/** `lab doctor`: checks this machine and says how to mend what is missing. Exits with 5 when something fails. */
import type { Command } from "commander";
import { type CliContext, openRuntime } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import { LabError } from "../cli/lab-error.ts";
import { checkMachine, type Finding } from "../doctor/checks.ts";

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
  try {
    const { settings, runtime } = await openRuntime(context);
    return await checkMachine(settings, context.root, await runtime.status());
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    const fix = error.remedy ?? "See the message.";
    return [
      { check: "settings", state: "fail", found: `${error.message} ${error.reason ?? ""}`.trim(), fix },
    ];
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
