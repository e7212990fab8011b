/**
 * What every command is given: the environment, the output, the signal that Ctrl-C aborts, and ways from options to
 * settings and a runtime. Commands import no globals, so tests run them with contexts of their own.
 */
import { chooseRuntime } from "../runtimes/choose-runtime.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import { environmentWithDotEnv, type Settings, settingsFromEnv } from "../settings.ts";
import type { Output } from "./output.ts";

export interface CliContext {
  /** The repository's root directory. */
  root: string;
  /** The process' environment, without `.env`. */
  environment: Readonly<Record<string, string | undefined>>;
  output: Output;
  /** Aborted with a LabError INTERRUPTED by the first Ctrl-C or SIGTERM; a second one ends the process at once. */
  signal: AbortSignal;
  /** Ends the command with another exit code than 0, without an error message. */
  exitWith(code: number): void;
}

/** Options that override a setting; named as commander names them. */
export interface SettingOptions {
  profile?: string | undefined;
  runtime?: string | undefined;
}

/**
 * Settings from `.env`, the environment and options, the later ones win.
 * @throws LabError SETTINGS_INVALID
 */
export function loadSettings(context: CliContext, options: SettingOptions = {}): Settings {
  const env = environmentWithDotEnv(context.root, context.environment);
  return settingsFromEnv(
    {
      ...env,
      ...(options.profile ? { PROFILE: options.profile } : {}),
      ...(options.runtime ? { RUNTIME: options.runtime } : {}),
    },
    context.root,
  );
}

/** The runtime that the settings name, or that runs, or that this machine has; `because` says which of these. */
export async function openRuntime(
  context: CliContext,
  options: SettingOptions = {},
): Promise<{ settings: Settings; runtime: Runtime; because: string }> {
  const settings = loadSettings(context, options);
  return { settings, ...(await chooseRuntime(settings)) };
}
