/**
 * From whatever is there to an engine that the lab can use: looks, plans, asks, carries out, waits. Each part of it is a
 * file of its own; this is the story.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../../cli/lab-error.ts";
import { requireCompose, runDocker } from "../cli.ts";
import { findEngine } from "../engine.ts";
import { carryOut } from "./carry-out.ts";
import { type DockerState, planEngine, type Step } from "./plan.ts";
import { runStep, type StepRunner } from "./run-step.ts";
import { daemonFailure, type RunningDaemon, stopDaemon } from "./start-daemon.ts";
import { inspectSystem, type Machine } from "./system.ts";

export interface EnsureEngineOptions {
  machine: Machine;
  signal: AbortSignal;
  /** A person is there whom sudo can ask for the password. */
  interactive: boolean;
  /** Shows the plan and asks. @throws when it may not be carried out */
  confirm(steps: readonly Step[], sudo: boolean): Promise<void>;
  onStep(step: Step, index: number): void;
}

export interface UsableDocker {
  engine: string;
  host: string;
  compose: string;
  buildx: string;
  /** Where the engine's output goes when this call has started it as a daemon. */
  log?: string | undefined;
}

/** How long a started engine may take to answer. */
const answerMs = 60_000;
const pollMs = 250;

/**
 * @returns what can be used now; without asking when it could be before
 * @throws LabError PREREQUISITE_MISSING where it cannot be installed, COMMAND_FAILED when that fails; whatever
 * `confirm` throws
 */
export async function ensureEngine(options: EnsureEngineOptions): Promise<UsableDocker> {
  const { machine, signal } = options;
  const docker = await lookAround(machine.env);
  if (docker.engine.usable && docker.compose && docker.buildx) return describe(machine.env);
  const plan = planEngine(await inspectSystem(machine), docker);
  if (!plan.possible) {
    throw new LabError("PREREQUISITE_MISSING", "No Docker engine can be used.", plan);
  }
  await options.confirm(plan.steps, plan.sudo);
  signal.throwIfAborted();
  const runner: StepRunner = { machine, sudo: plan.sudo, interactive: options.interactive, signal };
  const daemon = await carryOut(plan.steps, { ...runner, onStep: options.onStep });
  await untilItAnswers(machine.env, runner, daemon);
  return { ...(await describe(machine.env)), log: daemon?.step.log };
}

async function lookAround(env: Machine["env"]): Promise<DockerState> {
  const [engine, compose, buildx] = await Promise.all([
    findEngine(env),
    requireCompose().then(
      () => true,
      () => false,
    ),
    buildxVersion(),
  ]);
  return { engine, compose, buildx: buildx !== undefined };
}

/** @throws LabError when it does not answer; a daemon of ours is ended then */
export async function untilItAnswers(
  env: Machine["env"],
  runner: StepRunner,
  daemon: RunningDaemon | undefined,
  timeoutMs = answerMs,
): Promise<void> {
  const until = performance.now() + timeoutMs;
  const target = daemon === undefined ? env : { ...env, DOCKER_HOST: daemon.step.host };
  try {
    for (;;) {
      runner.signal.throwIfAborted();
      const found = await findEngine(target);
      if (found.usable) return;
      // Root's group may speak to it already, this user not yet.
      if (found.state === "denied" && (await answersRoot(runner))) {
        throw new LabError(
          "PREREQUISITE_MISSING",
          "The engine runs, but this user may not speak to it yet.",
          found,
        );
      }
      if (found.state === "too-old") {
        throw new LabError("PREREQUISITE_MISSING", "The engine that runs is still the old one.", {
          reason: found.reason,
          remedy: 'Stop it (its pid is in /var/run/docker.pid), then "make engine" again starts the new one.',
        });
      }
      if (daemon !== undefined && !daemon.alive()) {
        throw daemonFailure(daemon, "The engine has ended right after its start.");
      }
      if (performance.now() >= until) {
        const what = `The engine does not answer after ${timeoutMs / 1000} s.`;
        if (daemon !== undefined) throw daemonFailure(daemon, what);
        const { stdout } = await runStep(runner, {
          command: ["journalctl", "--unit", "docker", "--lines", "15", "--no-pager", "--output", "cat"],
          timeout: 10_000,
        });
        const remedy = 'Read "journalctl -u docker", mend it, then make engine again.';
        throw new LabError("COMMAND_FAILED", what, {
          reason: found.reason,
          remedy,
          detail: stdout.trim().split("\n"),
        });
      }
      await sleep(pollMs, undefined, { signal: runner.signal });
    }
  } catch (error) {
    if (daemon !== undefined && !(error instanceof LabError && error.code === "PREREQUISITE_MISSING")) {
      await stopDaemon(daemon, runner);
    }
    throw error;
  }
}

async function answersRoot(runner: StepRunner): Promise<boolean> {
  if (!runner.sudo) return false;
  const command = ["docker", "version", "--format", "{{.Server.Version}}"] as const;
  return (await runStep(runner, { command, timeout: 10_000 })).code === 0;
}

/** @throws LabError PREREQUISITE_MISSING when one of them cannot be used after all */
async function describe(env: Machine["env"]): Promise<UsableDocker> {
  const found = await findEngine(env);
  if (!found.usable) throw new LabError("PREREQUISITE_MISSING", "No Docker engine can be used.", found);
  const [compose, buildx] = [await composeFound(), await buildxVersion()];
  if (buildx === undefined) throw pluginsNotFound("buildx", undefined);
  return { engine: found.engine.version, host: found.engine.host, compose, buildx };
}

async function composeFound(): Promise<string> {
  try {
    return await requireCompose();
  } catch (error) {
    throw pluginsNotFound("compose", error);
  }
}

async function buildxVersion(): Promise<string | undefined> {
  const { code, stdout } = await runDocker(["buildx", "version"], { timeout: 10_000 });
  return code === 0 ? (/\bv?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1] ?? stdout.trim()) : undefined;
}

/** A docker command that comes first on PATH and looks for its plugins elsewhere. */
function pluginsNotFound(plugin: string, cause: unknown): LabError {
  return new LabError("PREREQUISITE_MISSING", `The docker command does not find its plugin ${plugin}.`, {
    reason: cause instanceof LabError ? `${cause.message} ${cause.reason ?? ""}`.trim() : undefined,
    remedy:
      "Remove the other docker command from PATH, or show it the plugins: " +
      "mkdir -p ~/.docker/cli-plugins && ln -s /usr/libexec/docker/cli-plugins/* ~/.docker/cli-plugins/",
    cause,
  });
}
