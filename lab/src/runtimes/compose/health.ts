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
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly timeout: number;
  /** Told of each part once, when it is healthy. */
  onHealthy?(container: LabContainer): void;
}

const pollInterval = 100;
/** A service that has died so often while it was to start will not start. */
const mostRestarts = 3;
const tailLines = 15;

/** @throws LabError PART_FAILED with the end of the log of the part that failed; the signal's reason when aborted */
export async function waitHealthy(options: WaitOptions): Promise<void> {
  const { client, project, parts, signal, timeout, onHealthy } = options;
  const began = Date.now();
  const deadline = performance.now() + timeout;
  const healthy = new Set<string>();
  /** Restarts of long ago are no sign of what will be. */
  const restartsBefore = new Map<string, number>();
  for (;;) {
    signal.throwIfAborted();
    const containers = await listContainers(client, project);
    for (const container of containers.filter(({ name }) => parts.includes(name))) {
      const { Id, RestartCount } = container.inspected;
      if (!restartsBefore.has(Id)) restartsBefore.set(Id, RestartCount);
      if (hasFailed(container, began, restartsBefore.get(Id) ?? 0))
        throw await failure(container, howItEnded(container));
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
export async function failure({ name, handle, inspected }: LabContainer, how: string): Promise<LabError> {
  const detail = await tailOf(handle, tailLines);
  return new LabError("PART_FAILED", `${name} ${how}.`, {
    ...explain(name, inspected, detail.join("\n")),
    detail,
  });
}

function explain(
  name: string,
  { State }: LabContainer["inspected"],
  log: string,
): { reason: string; remedy: string } {
  const remedy = `"make logs SERVICE=${name}" shows all of its log; mend what it names, then "make up" again.`;
  if (State.OOMKilled) {
    return { reason: "It took more memory than its limit (mem_limit in compose/).", remedy };
  }
  if (/password authentication failed/.test(log)) {
    return {
      reason:
        "The database was made with another password: by another checkout, or before LAB_DIR was removed.",
      remedy: '"make clean" removes the database, or another COMPOSE_PROJECT_NAME lets it be (.env.example).',
    };
  }
  if (/no space left on device/i.test(log)) {
    return { reason: "The disk of the Docker engine is full.", remedy: 'See "docker system df".' };
  }
  const probe = State.Health?.Status === "unhealthy" ? State.Health.Log?.at(-1)?.Output.trim() : undefined;
  const said = probe ? ` Its health check said: ${probe.slice(0, 200)}` : "";
  return { reason: `The last lines of its log follow.${said}`, remedy };
}

function hasFailed({ kind, state, inspected }: LabContainer, began: number, restartsBefore: number): boolean {
  if (state === "failed" || state === "unhealthy") return true;
  // One that ended before is still to be started.
  if (kind === "engine") return state === "stopped" && Date.parse(inspected.State.FinishedAt) > began;
  return inspected.RestartCount - restartsBefore >= mostRestarts && state !== "running";
}

function howItEnded({ state, inspected }: LabContainer): string {
  if (state === "unhealthy") return "is unhealthy";
  const { ExitCode } = inspected.State;
  return `exited with code ${ExitCode} before it was ready${inspected.RestartCount > 0 ? `, ${inspected.RestartCount + 1} times` : ""}`;
}
