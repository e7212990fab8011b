/** The lab as a whole, from its containers and from what `up` has written down about it. */
import type { EngineFinding } from "../../docker/engine.ts";
import type { LabState, LabStatus, PartStatus } from "../runtime.ts";
import { type ContainerMeter, noUsage } from "./container-meter.ts";
import { type LabContainer, statusOf } from "./containers.ts";
import type { ComposeState, Overrides } from "./state.ts";

/** @param state what `up` has written down; nothing while it is still at it, or when LAB_DIR was removed */
export async function labStatus(
  containers: readonly LabContainer[],
  state: ComposeState | undefined,
  overrides: Overrides,
  meter: ContainerMeter,
): Promise<LabStatus> {
  const present = await Promise.all(
    containers.map((each) => statusOf(each, overrides[each.name] ?? {}, meter)),
  );
  const parts = [...present, ...missing(present, state)];
  const profiles = state?.profiles ?? [];
  if (parts.every((part) => part.state === "stopped" || part.state === "failed")) {
    return { runtime: "compose", state: "stopped", profiles, since: null, parts };
  }
  const since = state?.since ?? earliestStart(containers);
  return { runtime: "compose", state: stateOf(parts, state?.phase === "running"), profiles, since, parts };
}

/** A lab that was started is lost to sight, not stopped: with the engine its containers may come back. */
export function statusWithoutEngine(state: ComposeState | undefined, found: EngineFinding): LabStatus {
  const status = { runtime: "compose" as const, profiles: state?.profiles ?? [], since: null, parts: [] };
  if (state === undefined) {
    // It may have come up between two looks.
    const noEngine = found.usable ? {} : { no_engine: { reason: found.reason, remedy: found.remedy } };
    return { ...status, state: "stopped", ...noEngine };
  }
  const what = "The Docker engine does not answer. Containers do not run while it is stopped.";
  return {
    ...status,
    state: "failed",
    failure: { part: "engine", what, log_tail: [], at: new Date().toISOString() },
  };
}

function stateOf(parts: readonly PartStatus[], wasUp: boolean): LabState {
  if (parts.every(({ state }) => state === "running")) return "running";
  return !wasUp && parts.some(({ state }) => state === "starting") ? "starting" : "degraded";
}

/** Somebody may have removed a container by hand. */
function missing(present: readonly PartStatus[], state: ComposeState | undefined): PartStatus[] {
  if (present.length === 0) return [];
  return (state?.parts ?? [])
    .filter(({ name }) => !present.some((part) => part.name === name))
    .map((part) => ({
      ...part,
      state: "stopped",
      pid: null,
      container: null,
      restarts: 0,
      uptime_seconds: null,
      ...noUsage,
      version: "removed",
      overrides: {},
    }));
}

function earliestStart(containers: readonly LabContainer[]): string | null {
  return containers.map(({ inspected }) => inspected.State.StartedAt).sort()[0] ?? null;
}
