/** `docker compose` on the lab's files: the one way to it, so that every call means the same project. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runDocker } from "../../docker/cli.ts";
import { type LabPaths, rootDir } from "../../paths.ts";
import type { Settings } from "../../settings.ts";
import { explainDockerFailure } from "./failures.ts";
import { type ComposePart, partsOf } from "./parts.ts";
import { secretVariables } from "./variables.ts";

export const composeFile = join(rootDir, "compose", "compose.yaml");

const configTimeout = 20_000;
const upTimeout = 5 * 60_000;

export class ComposeProject {
  readonly #settings: Settings;
  readonly #paths: LabPaths;

  constructor(settings: Settings, paths: LabPaths) {
    this.#settings = settings;
    this.#paths = paths;
  }

  /** What these profiles consist of. Reads the files, asks no engine. */
  async parts(profiles: readonly string[]): Promise<ComposePart[]> {
    const { stdout } = await this.#run(profiles, ["config", "--format", "json"], { timeout: configTimeout });
    return partsOf(stdout);
  }

  /** Makes and starts what is missing or has changed; all of the profiles', or the services named. */
  async up(profiles: readonly string[], services: readonly string[], signal: AbortSignal): Promise<void> {
    const all = services.length === 0 ? ["--remove-orphans"] : ["--no-deps", ...services];
    await this.#run(profiles, ["up", "--detach", "--no-build", "--quiet-pull", ...all], {
      signal,
      timeout: upTimeout,
    });
  }

  async #run(
    profiles: readonly string[],
    args: readonly string[],
    options: { timeout: number; signal?: AbortSignal },
  ) {
    const overrides = existsSync(this.#paths.composeOverrides)
      ? ["--file", this.#paths.composeOverrides]
      : [];
    const result = await runDocker(
      [
        ...["compose", "--ansi=never", "--progress=plain"],
        ...["--project-name", this.#settings.composeProject],
        ...["--env-file", this.#paths.composeEnvironment],
        ...["--file", composeFile, ...overrides],
        ...profiles.flatMap((profile) => ["--profile", profile]),
        ...args,
      ],
      { ...options, cwd: rootDir, env: secretVariables(this.#settings) },
    );
    options.signal?.throwIfAborted();
    if (result.code !== 0) throw explainDockerFailure(`docker compose ${args[0]}`, result);
    return result;
  }
}
