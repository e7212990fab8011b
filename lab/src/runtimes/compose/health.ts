/** Waiting until containers are healthy, and telling early that one will not become so. */
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { LabError } from "../../cli/lab-error.ts";
import { type LabContainer, listContainers } from "./containers.ts";
import { tailOf } from "./logs.ts";

export interface WaitOptions {
  readonly client: Docker;
  readonly project: string;
  /** Names of the parts to wait for. */
  readonly parts: readonly string[];
  /** As they were before anything was done about them: what ended or ailed then is no failure now. */
  readonly before: readonly LabContainer[];
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly timeout: number;
  /** Told of each part once, when it is healthy. */
  onHealthy?(container: LabContainer): void;
}

type Inspected = LabContainer["inspected"];

const pollInterval = 100;
/** A service that has died so often while it was to start will not start. */
const mostRestarts = 3;
const tailLines = 15;

/** @throws LabError PART_FAILED with the end of the log of the part that failed; the signal's reason when aborted */
export async function waitHealthy(options: WaitOptions): Promise<void> {
  const { client, project, parts, before, signal, timeout, onHealthy } = options;
  const earlier = new Map(before.map((container) => [container.inspected.Id, container.inspected]));
  const deadline = performance.now() + timeout;
  const healthy = new Set<string>();
  const codes = new Map<string, number>();
  for (;;) {
    signal.throwIfAborted();
    const containers = await listContainers(client, project);
    for (const container of containers.filter(({ name }) => parts.includes(name))) {
      const then = earlier.get(container.inspected.Id);
      const code = exitCode(container.inspected);
      if (code !== undefined) codes.set(container.name, code);
      if (hasFailed(container, then))
        throw await failure(container, howItEnded(container, codes.get(container.name)));
      if (container.state !== "running") healthy.delete(container.name);
      else if (!healthy.has(container.name)) {
        healthy.add(container.name);
        onHealthy?.(container);
      }
    }
    if (parts.every((part) => healthy.has(part))) return;
    if (performance.now() > deadline) {
      const late = containers.find(({ name, state }) => parts.includes(name) && state !== "running");
      const seconds = timeout / 1_000;
      if (late !== undefined) throw await failure(late, `was not healthy within ${seconds} s of its start`);
      throw new LabError("PART_FAILED", `There are no containers after ${seconds} s.`, {
        remedy: 'See "make status", and "docker compose ls".',
      });
    }
    await delay(pollInterval, undefined, { signal });
  }
}

/** @param how "exited with code 1", to follow the part's name */
async function failure({ name, handle, inspected }: LabContainer, how: string): Promise<LabError> {
  const detail = await tailOf(handle, tailLines);
  return new LabError("PART_FAILED", `${name} ${how}.`, {
    ...explain(name, inspected, detail.join("\n")),
    detail,
  });
}

function explain(name: string, { State }: Inspected, log: string): { reason: string; remedy: string } {
  const remedy = `"make logs SERVICE=${name}" shows all of its log; mend what it names, then "make up" again.`;
  if (State.OOMKilled) {
    return { reason: "It took more memory than its limit (mem_limit in compose/).", remedy };
  }
  if (/password authentication failed/.test(log)) {
    return {
      reason: "The database was made with another password, before LAB_DIR was removed.",
      remedy: '"make clean" removes the database; another COMPOSE_PROJECT_NAME lets it be (.env.example).',
    };
  }
  if (/no space left on device/i.test(log)) {
    return { reason: "The disk of the Docker engine is full.", remedy: 'See "docker system df".' };
  }
  const probe = State.Health?.Status === "unhealthy" ? State.Health.Log?.at(-1)?.Output.trim() : undefined;
  const said = probe ? ` Its health check said: ${probe.slice(0, 200)}` : "";
  return { reason: `The last lines of its log follow.${said}`, remedy };
}

function hasFailed({ kind, state, inspected }: LabContainer, then: Inspected | undefined): boolean {
  const { State, RestartCount } = inspected;
  const sameLife = State.StartedAt === then?.State.StartedAt;
  // One that was ill before may recover with what it needs.
  if (state === "failed" || state === "unhealthy") return !sameLife && !State.Paused;
  // One that had ended before is still to be started, and Compose ends one that it replaces.
  if (kind === "engine") return state === "stopped" && !sameLife;
  return RestartCount - (then?.RestartCount ?? 0) >= mostRestarts && state !== "running";
}

/** Of its last end; undefined when the engine has started it once more: then it tells 0, of a process that has not ended. */
function exitCode({ State }: Inspected): number | undefined {
  return ["exited", "restarting", "dead"].includes(State.Status) ? State.ExitCode : undefined;
}

/** @param earlier exit code that was seen while it was waited for */
function howItEnded({ state, inspected }: LabContainer, earlier: number | undefined): string {
  if (state === "unhealthy") return "is unhealthy";
  const code = exitCode(inspected) ?? earlier;
  return `exited${code === undefined ? "" : ` with code ${code}`} before it was ready${inspected.RestartCount > 0 ? `, ${inspected.RestartCount + 1} times` : ""}`;
}
