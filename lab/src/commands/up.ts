/** `lab up`: starts the lab, waits until it is healthy, prints where everything is. */
import type { Command } from "commander";
import { type CliContext, openRuntime, type SettingOptions } from "../cli/context.ts";
import type { Output } from "../cli/output.ts";
import { labPaths } from "../paths.ts";
import { assertOnlyOn, type ChosenRuntime } from "../runtimes/choose-runtime.ts";
import type { LabEvent, LabStatus, Runtime } from "../runtimes/runtime.ts";
import type { Settings } from "../settings.ts";
import { tryLock } from "../util/lock.ts";
import { systemsFor, systemsRunning } from "./systems-for.ts";

interface UpFlags extends SettingOptions {
  json?: boolean;
}

export function registerUpCommand(program: Command, context: CliContext): void {
  program
    .command("up")
    .description("start the lab and wait until it is healthy")
    .option("--profile <names>", "systems to start, separated by commas (PROFILE)")
    .option("--runtime <name>", "what to run them on (RUNTIME)")
    .option("--json", "print the status as JSON")
    .action(async (options: UpFlags) => {
      const { settings, ...chosen } = await openRuntime(context, options);
      const profiles = systemsFor(settings, systemsRunning(await chosen.runtime.status()));
      const status = await bringUp({ ...chosen, settings: { ...settings, profiles } }, context);
      if (options.json) context.output.json(status);
      else printUrls(status, context.output);
    });
}

/** Brings the lab up and shows the progress; for every command that needs a running lab. */
export async function bringUp(
  { runtime, settings, because }: ChosenRuntime & { settings: Settings },
  context: CliContext,
): Promise<LabStatus> {
  const { output, signal } = context;
  const began = performance.now();
  output.begin(`Starting ${settings.profiles.join(", ")} on the ${runtime.name} runtime (${because})`);
  await assertOnlyOn(settings, runtime.name);
  const status = await runtime
    .up({ profiles: settings.profiles, signal, onEvent: (event) => showEvent(output, event) })
    .catch(async (error: unknown) => {
      if (signal.aborted) await tellWhatIsLeft(runtime, output);
      throw error;
    });
  const leftOver = await reset({ runtime, settings }, status, context);
  const fresh = Date.parse(status.since ?? "") > Date.now() - (performance.now() - began) - 1_000;
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  output.done(fresh ? `The lab is ready (${seconds} s)` : `The lab has been running since ${status.since}`);
  return leftOver.length === 0 ? status : await runtime.status();
}

/** resetLeftovers, with a word about each. */
export async function reset(
  { runtime, settings }: { runtime: Runtime; settings: Settings },
  status: LabStatus,
  { output }: CliContext,
): Promise<string[]> {
  const names = await resetLeftovers(runtime, settings.labDir, status);
  for (const name of names)
    output.warn(
      `${name} is back to its settings; make scale, or an experiment that was killed, had changed them`,
    );
  return names;
}

/**
 * An experiment takes its configuration back when it ends, but not when its command is killed; what make scale has changed lasts
 * until here. Nothing is reset while an experiment runs.
 * @returns names of the services that were reset
 */
export async function resetLeftovers(
  runtime: Pick<Runtime, "configure">,
  labDir: string,
  status: LabStatus,
): Promise<string[]> {
  const names = status.parts
    .filter(({ overrides }) => Object.keys(overrides).length > 0)
    .map(({ name }) => name);
  if (names.length === 0) return [];
  using lock = tryLock(labPaths(labDir).experimentLock);
  if (lock === undefined) return [];
  for (const name of names) await runtime.configure(name, {});
  return names;
}

/** Shows one event of a runtime as a step. */
export function showEvent(output: Output, event: LabEvent): void {
  if (event.kind === "begin") output.begin(event.text);
  if (event.kind === "done") output.done(event.text);
  if (event.kind === "warn") output.warn(event.text);
}

/** After Ctrl-C, for whoever would have to look otherwise. Never rejects: why the start ended matters more. */
async function tellWhatIsLeft(runtime: Runtime, output: Output): Promise<void> {
  const status = await runtime.status().catch(() => undefined);
  if (status === undefined) return;
  if (status.state === "stopped") output.done("The lab is stopped");
  else output.warn(`The lab is ${status.state}: see "make status"`);
}

function printUrls(status: LabStatus, output: Output): void {
  output.line();
  const reachable = status.parts.flatMap(({ name, url }) => (url === null ? [] : [[name, url]]));
  output.table([["PART", "URL"], ...reachable]);
  output.line();
  output.line("Next: make demo · make status · make logs · make down");
}
