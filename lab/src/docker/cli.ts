/** The `docker` command, for what the engine's API does not do: Compose, BuildKit, contexts. */
import { LabError } from "../cli/lab-error.ts";
import {
  childEnvironment,
  findProgram,
  type RunOptions,
  type RunResult,
  runCommand,
} from "../util/run-command.ts";
import { compareVersions } from "../util/versions.ts";
import { sessionVariable } from "./test-resources.ts";

/** Older ones lack `include` or `start_interval` in health checks, or were new to them. */
export const oldestCompose = "2.24.0";

/** What the docker command may see of the user's environment. */
export function dockerEnvironment(): Record<string, string> {
  const own = Object.entries(process.env).filter(
    ([name]) =>
      /^(DOCKER_|BUILDKIT_|XDG_)/.test(name) ||
      /^(https?|no)_proxy$/i.test(name) ||
      name === "SSH_AUTH_SOCK" ||
      name === sessionVariable,
  );
  return { ...childEnvironment(process.env), ...(Object.fromEntries(own) as Record<string, string>) };
}

/** Runs `docker <args>`. Never rejects; `code` is null when there is no docker command. */
export function runDocker(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const docker = findProgram("docker", process.env.PATH) ?? "docker";
  // Compose and buildx are programs below the docker command, which older ones leave behind when it is killed.
  return runCommand(docker, args, {
    ...options,
    group: true,
    env: { ...dockerEnvironment(), ...options.env },
  });
}

/**
 * The version of Compose.
 * @throws LabError PREREQUISITE_MISSING when there is none, or it is too old
 */
export async function requireCompose(): Promise<string> {
  const { code, stdout, stderr } = await runDocker(["compose", "version", "--short"], { timeout: 10_000 });
  const remedy =
    "Install the Compose plugin (https://docs.docker.com/compose/install/), or use RUNTIME=process.";
  if (code !== 0) {
    const reason =
      code === null
        ? "There is no docker command on PATH."
        : `"docker compose" says: ${stderr.trim().split("\n")[0]}`;
    throw new LabError("PREREQUISITE_MISSING", "Docker Compose is missing.", { reason, remedy });
  }
  const version = stdout.trim().replace(/^v/, "");
  if (compareVersions(version, oldestCompose) < 0) {
    throw new LabError("PREREQUISITE_MISSING", `Docker Compose ${version} is too old.`, {
      reason: `The lab needs ${oldestCompose} or later.`,
      remedy,
    });
  }
  return version;
}
