/**
 * Brings a supervisor up from the command's side: spawns it detached, hands it the plan, passes its events on, and only
 * commits when all is ready. An abort at any time before that stops everything.
 */
import { type ChildProcess, fork } from "node:child_process";
import { closeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { LabError } from "../../cli/lab-error.ts";
import type { LabPaths } from "../../paths.ts";
import { childEnvironment } from "../../util/run-command.ts";
import { archiveLog, openLog, tailOf } from "../log-files.ts";
import type { LabStatus, UpOptions } from "../runtime.ts";
import type { LabPlan } from "./plan.ts";
import type { FromSupervisor, ToSupervisor } from "./supervisor.ts";

const supervisorFile = fileURLToPath(new URL("./supervisor.ts", import.meta.url));

/**
 * @returns the status at the moment everything was ready
 * @throws LabError: the part that failed, INTERRUPTED, or CONTROL_FAILED when the supervisor itself broke; in each case
 * nothing is left running
 */
export async function launch(
  paths: LabPaths,
  plan: LabPlan,
  options: Omit<UpOptions, "profiles">,
): Promise<LabStatus> {
  const { signal, onEvent } = options;
  signal.throwIfAborted();
  archiveLog(paths.logs, "supervisor");
  const log = openLog(paths.logs, "supervisor");
  const child = fork(supervisorFile, [paths.labDir], {
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
    execArgv: [],
    env: childEnvironment(process.env),
    cwd: paths.labDir,
  });
  closeSync(log);
  const abort = () => tell(child, { type: "abort" });
  signal.addEventListener("abort", abort);
  try {
    return await conversation(child, plan, onEvent, paths, signal);
  } finally {
    signal.removeEventListener("abort", abort);
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function conversation(
  child: ChildProcess,
  plan: LabPlan,
  onEvent: UpOptions["onEvent"],
  paths: LabPaths,
  signal: AbortSignal,
): Promise<LabStatus> {
  return new Promise((resolve, reject) => {
    let status: LabStatus | undefined;
    let failure: LabError | undefined;
    child.on("message", (message: FromSupervisor) => {
      switch (message.type) {
        case "event":
          onEvent(message.event);
          break;
        case "ready":
          status = message.status;
          if (!signal.aborted) tell(child, { type: "commit" });
          break;
        case "committed":
          if (status !== undefined && !signal.aborted) resolve(status);
          break;
        case "failed":
          failure = LabError.from(message.error);
          onEvent({ kind: "warn", text: "Stopping what was started" });
          break;
        case "stopped":
          break;
      }
    });
    // Only its exit says that nothing is left.
    child.once("exit", () => {
      if (signal.aborted) return reject(signal.reason);
      reject(failure ?? supervisorBroke(paths));
    });
    child.once("error", (cause) => reject(supervisorBroke(paths, cause)));
    tell(child, { type: "start", plan });
  });
}

function tell(child: ChildProcess, message: ToSupervisor): void {
  // A channel that is closed already is told of by the exit event.
  if (child.connected) child.send(message, () => {});
}

function supervisorBroke(paths: LabPaths, cause?: unknown): LabError {
  const detail = tailOf(paths.logs, "supervisor", 15);
  return new LabError("CONTROL_FAILED", "The lab's supervisor ended before the lab was ready.", {
    reason: detail.length === 0 ? "It logged nothing." : "The end of its log follows.",
    remedy: 'Run "make down" to end what may be left, then "make doctor".',
    detail,
    cause,
  });
}
