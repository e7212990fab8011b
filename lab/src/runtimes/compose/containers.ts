/** The lab's containers, as the engine tells of them. They are found by the labels that Compose gives them. */
import type Docker from "dockerode";
import type { PartKind, PartState, PartStatus } from "../runtime.ts";
import { displayUrl } from "./parts.ts";

export interface LabContainer {
  /** The service's name in the compose files. */
  readonly name: string;
  readonly kind: PartKind;
  /** LAB_DIR of the lab that started it. */
  readonly lab: string;
  readonly state: PartState;
  /** On 127.0.0.1; 0 when it publishes none. */
  readonly port: number;
  readonly handle: Docker.Container;
  readonly inspected: Docker.ContainerInspectInfo;
}

const projectLabel = "com.docker.compose.project";
const serviceLabel = "com.docker.compose.service";

/** By name; also those that do not run. */
export async function listContainers(client: Docker, project: string): Promise<LabContainer[]> {
  const label = [...ofProject(project).label, "com.docker.compose.oneoff=False"];
  const found = await client.listContainers({ all: true, filters: { label } });
  const containers = await Promise.all(found.map(({ Id }) => describe(client.getContainer(Id))));
  return containers
    .filter((container) => container !== undefined)
    .sort((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name));
}

/** Finds what Compose has made for a project: containers, networks, volumes. */
export function ofProject(project: string): { label: string[] } {
  return { label: [`${projectLabel}=${project}`] };
}

/** As `status` shows it; asks the engine for memory and processor time. */
export async function statusOf(
  { name, kind, state, port, handle, inspected }: LabContainer,
  overrides: Readonly<Record<string, string>>,
): Promise<PartStatus> {
  const running = inspected.State.Running;
  const usage = running ? await usageOf(handle) : undefined;
  return {
    name,
    kind,
    state,
    pid: null,
    container: inspected.Id.slice(0, 12),
    port,
    url: displayUrl(name, port),
    restarts: inspected.RestartCount,
    uptime_seconds: running ? secondsSince(inspected.State.StartedAt) : null,
    memory_mb: usage?.memoryMb ?? null,
    cpu_seconds: usage?.cpuSeconds ?? null,
    version: inspected.Config.Image,
    overrides,
  };
}

/** Undefined when it has been removed meanwhile. */
async function describe(handle: Docker.Container): Promise<LabContainer | undefined> {
  const inspected = await handle.inspect().catch((error: unknown) => {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  });
  if (inspected === undefined) return undefined;
  const labels = inspected.Config.Labels;
  const bindings: Record<string, { HostPort: string }[] | null> = inspected.HostConfig.PortBindings ?? {};
  return {
    name: labels[serviceLabel] ?? inspected.Name.replace(/^\//, ""),
    kind: labels["parallax.kind"] === "service" ? "service" : "engine",
    lab: labels["parallax.lab"] ?? "",
    state: stateOf(inspected.State),
    port: Number(Object.values(bindings)[0]?.[0]?.HostPort ?? 0),
    handle,
    inspected,
  };
}

function stateOf({ Status, Paused, Health }: Docker.ContainerInspectInfo["State"]): PartState {
  if (Paused) return "unhealthy";
  if (Status === "restarting") return "restarting";
  if (Status === "dead") return "failed";
  if (Status === "created") return "starting";
  if (Status !== "running") return "stopped";
  if (Health?.Status === "starting") return "starting";
  return Health?.Status === "unhealthy" ? "unhealthy" : "running";
}

/** Undefined when it ended while being asked. */
async function usageOf(handle: Docker.Container) {
  try {
    // One sample, at once: without it the engine waits a second for a second one.
    const options = { stream: false, "one-shot": true } as const;
    const { memory_stats, cpu_stats } = (await handle.stats(options)) as Docker.ContainerStats;
    // Page cache that could be dropped at once, under the names of both versions of cgroups.
    const cache = memory_stats.stats?.total_inactive_file ?? memory_stats.stats?.inactive_file ?? 0;
    return {
      memoryMb: Math.round((memory_stats.usage - cache) / 1024 / 1024),
      cpuSeconds: cpu_stats.cpu_usage.total_usage / 1e9,
    };
  } catch {
    return undefined;
  }
}

function secondsSince(iso: string): number {
  return Math.max(0, Math.round((Date.now() - Date.parse(iso)) / 100) / 10);
}
