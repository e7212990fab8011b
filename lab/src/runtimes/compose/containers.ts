/** The lab's containers, as the engine tells of them. They are found by the labels that Compose gives them. */
import type Docker from "dockerode";
import type { PartKind, PartState, PartStatus } from "../runtime.ts";
import { type ContainerMeter, inspect } from "./container-meter.ts";
import { displayUrl } from "./parts.ts";

/** What a list of containers tells of one. */
export interface ListedContainer {
  /** The service's name in the compose files. */
  readonly name: string;
  readonly kind: PartKind;
  /** LAB_DIR of the lab that started it. */
  readonly lab: string;
  readonly handle: Docker.Container;
}

export interface LabContainer extends ListedContainer {
  readonly state: PartState;
  /** On 127.0.0.1; null when it publishes none. */
  readonly port: number | null;
  readonly inspected: Docker.ContainerInspectInfo;
}

const projectLabel = "com.docker.compose.project";
const serviceLabel = "com.docker.compose.service";

/** Engines first, by name; also those that do not run. Asks the engine once. */
export async function findContainers(client: Docker, project: string): Promise<ListedContainer[]> {
  const label = [...ofProject(project).label, "com.docker.compose.oneoff=False"];
  const found = await client.listContainers({ all: true, filters: { label } });
  return found
    .map(
      ({ Id, Names, Labels }): ListedContainer => ({
        name: Labels[serviceLabel] ?? (Names[0] ?? Id).replace(/^\//, ""),
        kind: Labels["parallax.kind"] === "service" ? "service" : "engine",
        lab: Labels["parallax.lab"] ?? "",
        handle: client.getContainer(Id),
      }),
    )
    .sort((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name));
}

/** The same in full: asks the engine about each. */
export async function listContainers(client: Docker, project: string): Promise<LabContainer[]> {
  const found = await findContainers(client, project);
  const containers = await Promise.all(found.map(describe));
  return containers.filter((container) => container !== undefined);
}

/** Finds what Compose has made for a project: containers, networks, volumes. */
export function ofProject(project: string): { label: string[] } {
  return { label: [`${projectLabel}=${project}`] };
}

/** The variables that its process was started with. */
export function environmentOf({ Config }: Docker.ContainerInspectInfo): Record<string, string> {
  return Object.fromEntries(
    Config.Env.map((line) => {
      const end = line.indexOf("=");
      return [line.slice(0, end), line.slice(end + 1)];
    }),
  );
}

/** As `status` shows it. */
export async function statusOf(
  { name, kind, state, port, handle, inspected }: LabContainer,
  overrides: Readonly<Record<string, string>>,
  meter: ContainerMeter,
): Promise<PartStatus> {
  const running = inspected.State.Running;
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
    ...(await meter.read(handle, inspected)),
    version: inspected.Config.Image,
    overrides,
  };
}

/** Undefined when it has been removed meanwhile. */
async function describe(listed: ListedContainer): Promise<LabContainer | undefined> {
  const inspected = await inspect(listed.handle);
  if (inspected === undefined) return undefined;
  const bindings: Record<string, { HostPort: string }[] | null> = inspected.HostConfig.PortBindings ?? {};
  const published = Object.values(bindings)[0]?.[0]?.HostPort;
  const port = published === undefined ? null : Number(published);
  return { ...listed, state: stateOf(inspected.State), port, inspected };
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

function secondsSince(iso: string): number {
  return Math.max(0, Math.round((Date.now() - Date.parse(iso)) / 100) / 10);
}
