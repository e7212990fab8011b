/**
 * The compose runtime: every part a container of one Compose project. Starting goes through `docker compose`, which
 * knows the files; everything else speaks to the engine and works on the project's labels alone, so that a lab can be
 * looked at and taken down whatever has become of its files.
 */

import { LabError } from "../../cli/lab-error.ts";
import { requireCompose } from "../../docker/cli.ts";
import { type Engine, findEngine, requireEngine } from "../../docker/engine.ts";
import { postgresUrl } from "../../engines/postgres.ts";
import { knownPostgresPassword } from "../../engines/secrets.ts";
import { type LabPaths, labPaths } from "../../paths.ts";
import type { Settings } from "../../settings.ts";
import { lockCommand, waitForCommandLock } from "../command-lock.ts";
import { keptLogs, readLogs } from "../log-files.ts";
import type {
  DownReport,
  LabStatus,
  LogLine,
  LogsOptions,
  Runtime,
  RuntimeDescription,
  UpOptions,
} from "../runtime.ts";
import { ComposeProject } from "./compose-project.ts";
import { type LabContainer, listBelongings, listContainers } from "./containers.ts";
import { isEngineGone } from "./failures.ts";
import { sendSignal } from "./faults.ts";
import { waitHealthy } from "./health.ts";
import { labStatus, statusWithoutEngine } from "./lab-status.ts";
import { launch } from "./launch.ts";
import { readContainerLogs } from "./logs.ts";
import { partNames } from "./parts.ts";
import { readComposeState, readOverrides, removeComposeState, writeOverrides } from "./state.ts";
import { takeDown } from "./take-down.ts";

const healthyTimeout = 90_000;

/** What dockerode does not type. */
interface EngineInfo {
  OperatingSystem: string;
  KernelVersion: string;
  NCPU: number;
  MemTotal: number;
  Driver: string;
}

export class ComposeRuntime implements Runtime {
  readonly name = "compose";
  readonly #settings: Settings;
  readonly #paths: LabPaths;
  readonly #project: ComposeProject;
  #engine: Engine | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#paths = labPaths(settings.labDir);
    this.#project = new ComposeProject(settings, this.#paths);
  }

  async up(options: UpOptions): Promise<LabStatus> {
    using _lock = lockCommand(this.#paths);
    const engine = await this.#requireEngine();
    await requireCompose();
    this.#assertOwn(await this.#containers(engine));
    await launch({ engine, settings: this.#settings, paths: this.#paths, project: this.#project }, options);
    return await this.status();
  }

  async down(): Promise<DownReport> {
    using _lock = await waitForCommandLock(this.#paths);
    const found = await findEngine();
    if (!found.usable) return this.#downWithoutEngine(found);
    const { engine } = found;
    this.#assertOwn(await this.#containers(engine));
    const report = await takeDown(engine.client, this.#settings.composeProject, this.#paths.logs);
    removeComposeState(this.#paths);
    return report;
  }

  /** What an engine that is stopped holds cannot be removed, and may run again with it. */
  #downWithoutEngine({ reason, remedy }: { reason: string; remedy: string }): DownReport {
    if (readComposeState(this.#paths) === undefined)
      return { was_running: false, killed: [], swept: 0, seconds: 0 };
    throw new LabError("LEFTOVERS", "The lab's containers cannot be removed now.", {
      reason: `${reason} They do not run while it is stopped, and may come back with it.`,
      remedy: `Start the engine, then "make down" again. ${remedy}`,
    });
  }

  async removeData(): Promise<void> {
    const found = await findEngine();
    if (!found.usable) return;
    const { client } = found.engine;
    const { volumes } = await listBelongings(client, this.#settings.composeProject);
    for (const volume of volumes) await client.getVolume(volume).remove();
  }

  async status(): Promise<LabStatus> {
    const state = readComposeState(this.#paths);
    try {
      this.#engine ??= await findEngineQuietly();
      if (this.#engine === undefined) return statusWithoutEngine(state);
      return await labStatus(await this.#containers(this.#engine), state, readOverrides(this.#paths));
    } catch (error) {
      if (!isEngineGone(error)) throw error;
      this.#engine = undefined;
      return statusWithoutEngine(state);
    }
  }

  async *logs(options: LogsOptions): AsyncIterable<LogLine> {
    const containers = await this.#containers(await this.#requireEngine());
    if (containers.length === 0) {
      yield* readLogs(this.#paths.logs, this.#keptLogs(options.parts), options);
      return;
    }
    const chosen = options.parts.map((part) => find(containers, part));
    yield* readContainerLogs(chosen.length > 0 ? chosen : containers, options);
  }

  async configure(service: string, environment: Record<string, string>): Promise<void> {
    const container = await this.#container(service);
    if (container.kind !== "service") {
      throw new LabError("NO_SUCH_PART", `${service} is an engine; only services are configured.`);
    }
    const former = readOverrides(this.#paths);
    try {
      await this.#bringUp(service, { ...former, [service]: environment });
    } catch (error) {
      await this.#bringUp(service, former).catch(() => {});
      throw error;
    }
  }

  async kill(part: string, signal: NodeJS.Signals): Promise<void> {
    await sendSignal(await this.#container(part), signal);
  }

  async start(part: string): Promise<void> {
    const { handle, state } = await this.#container(part);
    if (state === "stopped" || state === "failed") await handle.start();
    await this.#waitFor(part);
  }

  async stop(part: string): Promise<void> {
    const { handle, state } = await this.#container(part);
    if (state !== "stopped") await handle.stop();
  }

  endpoint(part: string): string {
    const known = readComposeState(this.#paths)?.parts.find(({ name }) => name === part);
    if (known === undefined) throw new LabError("NO_SUCH_PART", `There is no part "${part}".`);
    if (part !== "postgres") return known.url;
    return postgresUrl(known.port, knownPostgresPassword(this.#paths.secrets) ?? "");
  }

  async describe(): Promise<RuntimeDescription> {
    const { client, version } = await this.#requireEngine();
    const info = (await client.info()) as EngineInfo;
    const images = readComposeState(this.#paths)?.images ?? {};
    const { parts } = await this.status();
    return {
      runtime: this.name,
      versions: {
        docker: version,
        compose: await requireCompose(),
        ...Object.fromEntries(parts.map((part) => [part.name, part.version])),
      },
      engine: {
        os: info.OperatingSystem,
        kernel: info.KernelVersion,
        cpus: info.NCPU,
        memory_mb: Math.round(info.MemTotal / 2 ** 20),
        storage_driver: info.Driver,
      },
      images,
    };
  }

  /** Parts of the last lab whose logs were kept. */
  #keptLogs(wanted: readonly string[]): string[] {
    const kept = keptLogs(this.#paths.logs).filter((name) => partNames.includes(name));
    const unknown = wanted.find((part) => !kept.includes(part));
    if (unknown !== undefined) {
      const has = kept.length === 0 ? 'Start the lab with "make up".' : `Name one of: ${kept.join(", ")}.`;
      throw new LabError("NO_SUCH_PART", `There is no log of "${unknown}".`, { remedy: has });
    }
    return wanted.length > 0 ? [...wanted] : kept;
  }

  async #bringUp(service: string, overrides: Parameters<typeof writeOverrides>[1]): Promise<void> {
    const profiles = readComposeState(this.#paths)?.profiles ?? this.#settings.profiles;
    writeOverrides(this.#paths, overrides);
    const signal = AbortSignal.timeout(healthyTimeout);
    await this.#project.up(profiles, [service], signal);
    await this.#waitFor(service);
  }

  async #waitFor(part: string): Promise<void> {
    const { client } = await this.#requireEngine();
    const project = this.#settings.composeProject;
    // Nobody's Ctrl-C leaves a part half configured.
    const signal = new AbortController().signal;
    await waitHealthy({ client, project, parts: [part], signal, timeout: healthyTimeout });
  }

  async #requireEngine(): Promise<Engine> {
    this.#engine ??= await requireEngine();
    return this.#engine;
  }

  #containers({ client }: Engine): Promise<LabContainer[]> {
    return listContainers(client, this.#settings.composeProject);
  }

  async #container(part: string): Promise<LabContainer> {
    const containers = await this.#containers(await this.#requireEngine());
    if (containers.length > 0) return find(containers, part);
    throw new LabError("NOT_RUNNING", "The lab is not running.", { remedy: 'Start it with "make up".' });
  }

  /** @throws LabError OTHER_LAB_RUNNING when the project's containers are another checkout's */
  #assertOwn(containers: readonly LabContainer[]): void {
    const { composeProject, labDir } = this.#settings;
    const other = containers.find(({ lab }) => lab !== "" && lab !== labDir);
    if (other === undefined) return;
    throw new LabError(
      "OTHER_LAB_RUNNING",
      `The Compose project "${composeProject}" belongs to another lab.`,
      {
        reason: `Its containers were started for ${other.lab}; this lab is ${labDir}.`,
        remedy: `Stop that one there with "make down" ("docker compose -p ${composeProject} down" where that directory is gone), or give this one another COMPOSE_PROJECT_NAME and ports of its own (.env.example).`,
      },
    );
  }
}

async function findEngineQuietly(): Promise<Engine | undefined> {
  const found = await findEngine();
  return found.usable ? found.engine : undefined;
}

function find(containers: readonly LabContainer[], part: string): LabContainer {
  const container = containers.find(({ name }) => name === part);
  if (container !== undefined) return container;
  throw new LabError("NO_SUCH_PART", `There is no part "${part}".`, {
    remedy: `Name one of: ${containers.map(({ name }) => name).join(", ")}.`,
  });
}
