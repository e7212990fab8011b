/** What every check is given: the settings, the lab as it is, and ways to ask this machine, which tests replace. */
import { requireCompose, runDocker } from "../docker/cli.ts";
import { type EngineFinding, findEngine } from "../docker/engine.ts";
import type { LabStatus } from "../runtimes/runtime.ts";
import type { RuntimeName, Settings } from "../settings.ts";
import type { RunOptions, RunResult } from "../util/run-command.ts";

export interface Examination {
  settings: Settings;
  /** The repository's root directory. */
  root: string;
  /** Of the lab, whose own ports are not taken. */
  status: LabStatus;
  /** What `make up` would use. */
  runtime: RuntimeName;
  /** Why that one, for people. */
  because: string;
  /** The PATH to look for programs in. */
  path: string | undefined;
  /** Asked once, before the checks. */
  engine: EngineFinding;
  /** @throws LabError when there is none, or it is too old */
  compose(): Promise<string>;
  docker(args: readonly string[], options: RunOptions): Promise<RunResult>;
}

/** Everything but what the command line knows. */
export async function prepareExamination(
  given: Pick<Examination, "settings" | "root" | "status" | "runtime" | "because">,
): Promise<Examination> {
  return {
    ...given,
    path: process.env.PATH,
    engine: await findEngine(),
    compose: requireCompose,
    docker: runDocker,
  };
}
