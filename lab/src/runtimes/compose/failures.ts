/** What the docker command prints when it fails, as errors that say what to do. */
import { LabError, type LabErrorCode } from "../../cli/lab-error.ts";
import type { RunResult } from "../../util/run-command.ts";

interface Known {
  readonly pattern: RegExp;
  readonly code: LabErrorCode;
  readonly what: string;
  readonly remedy: string;
}

const known: readonly Known[] = [
  {
    pattern: /no space left on device|disk quota exceeded/i,
    code: "PREREQUISITE_MISSING",
    what: "The disk of the Docker engine is full.",
    remedy: 'See "docker system df"; "docker system prune" removes what no container uses. Then start again.',
  },
  {
    pattern:
      /cannot connect to the docker daemon|error during connect|connection refused|docker daemon is not running|EOF$/im,
    code: "NOT_RUNNING",
    what: "The Docker engine has stopped answering.",
    remedy: 'Start it ("make engine" on Debian and Ubuntu), then "make down" and "make up".',
  },
  {
    pattern: /port is already allocated|address already in use|ports are not available/i,
    code: "PORT_TAKEN",
    what: "A port of the lab is taken.",
    remedy: 'Stop what listens there, or move the port; "make doctor" names both.',
  },
  {
    pattern: /no such image|pull access denied|manifest unknown|image .* not found/i,
    code: "PREREQUISITE_MISSING",
    what: "An image is missing.",
    remedy: '"make up" gets what it can; on a machine without an image registry run "make images".',
  },
  {
    pattern: /range of cpus is from/i,
    code: "PREREQUISITE_MISSING",
    what: "The engine's machine has fewer processors than a container is to have.",
    remedy: "Give Docker more processors.",
  },
  {
    pattern: /permission denied/i,
    code: "PREREQUISITE_MISSING",
    what: "Docker was refused something.",
    remedy: 'See below; "make doctor" checks whether this user may use the engine.',
  },
];

const tailLines = 12;

/** @param command as a person would write it */
export function explainDockerFailure(command: string, result: RunResult): LabError {
  const text = `${result.stdout}\n${result.stderr}`;
  const detail = result.stderr.trim().split("\n").slice(-tailLines);
  const cause = known.find(({ pattern }) => pattern.test(text));
  const how = result.error?.message ?? `exit code ${result.code}`;
  if (cause !== undefined) {
    const reason = `"${command}" failed (${how}).`;
    return new LabError(cause.code, cause.what, {
      reason,
      remedy: cause.remedy,
      detail,
      cause: result.error,
    });
  }
  return new LabError("COMMAND_FAILED", `"${command}" failed.`, {
    reason: `It ended with ${how}.`,
    remedy: 'See its last lines below; "make doctor" checks engine, Compose and images.',
    detail,
    cause: result.error,
  });
}

/** For errors of the engine's API. */
export function isEngineGone(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code !== undefined && ["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"].includes(code);
}
