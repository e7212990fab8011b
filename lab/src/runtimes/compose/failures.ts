/** What the docker command prints when it fails, as errors that say what to do. */
import { LabError, type LabErrorCode } from "../../cli/lab-error.ts";
import type { RunResult } from "../../util/run-command.ts";

interface Known {
  readonly pattern: RegExp;
  readonly code: LabErrorCode;
  readonly what: string;
  readonly remedy: string;
}

const engineGoneRemedy = 'Start it ("make engine" on Debian and Ubuntu), then "make up" or "make down".';

const known: readonly Known[] = [
  {
    pattern: /no space left on device|disk quota exceeded/i,
    code: "PREREQUISITE_MISSING",
    what: "The disk of the Docker engine is full.",
    remedy: 'See "docker system df"; "docker system prune" removes what no container uses. Then start again.',
  },
  {
    pattern:
      /cannot connect to the docker daemon|error during connect|docker daemon is not running|(?:docker\.sock|docker_engine)[^\n]*(?:EOF|connection re(?:fused|set)|broken pipe)/i,
    code: "NOT_RUNNING",
    what: "The Docker engine has stopped answering.",
    remedy: engineGoneRemedy,
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
    pattern: /permission denied.*docker\.sock|docker\.sock.*permission denied|dial unix.*permission denied/i,
    code: "PREREQUISITE_MISSING",
    what: "This user may not speak to the Docker engine.",
    remedy: '"make doctor" says how this user gets the right to it.',
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

/** The engine stopped between two calls of its API. */
export function engineGone(cause: unknown): LabError {
  return new LabError("NOT_RUNNING", "The Docker engine has stopped answering.", {
    reason: cause instanceof Error ? cause.message : String(cause),
    remedy: engineGoneRemedy,
    cause,
  });
}

/** For errors of the engine's API. */
export function isEngineGone(error: unknown): boolean {
  const { code } = error as { code?: string };
  return (
    code !== undefined &&
    ["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ESOCKETTIMEDOUT"].includes(code)
  );
}
