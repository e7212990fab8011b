/**
 * The compose runtime: every part a container of one Compose project. Starting goes through `docker compose`, which
 * knows the files; everything else speaks to the engine and works on the project's labels alone, so that a lab can be
 * looked at and taken down whatever has become of its files.
 */

import { LabError } from "../../cli/lab-error.ts";
import { requireCompose } from "../../docker/cli.ts";
import type { Engine } from "../../docker/engine.ts";
import { postgresUrl } from "../../engines/postgres.ts";
import { knownPostgresPassword } from "../../engines/secrets.ts";
import { type LabPaths, labPaths } from "../../paths.ts";
import type { Settings } from "../../settings.ts";
import { pick } from "../../util/pick.ts";
import { lockCommand, lockExperiment, waitForCommandLock } from "../command-lock.ts";
import { readLogs } from "../log-files.ts";
import type {
  DownReport,
  LabStatus,
  LogLine,
  LogsOptions,
  PartUsage,
  Runtime,
  RuntimeDescription,
  UpOptions,
} from "../runtime.ts";
import { ComposeProject } from "./compose-project.ts";
import { ContainerMeter } from "./container-meter.ts";
import { environmentOf, findContainers, type LabContainer, listContainers } from "./containers.ts";
import { describeEngine, EngineConnection } from "./engine-connection.ts";
import { sendSignal } from "./faults.ts";
import { followLogs } from "./follow-logs.ts";
import { waitHealthy } from "./health.ts";
import { labStatus, statusWithoutEngine } from "./lab-status.ts";
import { type Found, LabUsage } from "./lab-usage.ts";
import { launch, type Providing } from "./launch.ts";
import { logsKept, tailOf } from "./logs.ts";
import { assertOwn, isOwn, type Project, removeOwnVolumes } from "./ownership.ts";
import {
  type Overrides,
  projectWithVolumes,
  readComposeState,
  readOverrides,
  rememberVolumes,
  removeComposeState,
  writeOverrides,
} from "./state.ts";
import { takeDown } from "./take-down.ts";

const healthyTimeout = 90_000;

export class ComposeRuntime implements Runtime {
  readonly name = "compose";
  readonly #settings: Settings;
  readonly #paths: LabPaths;
  readonly #project: ComposeProject;
  readonly #engine = new EngineConnection();
  readonly #meter = new ContainerMeter();
  readonly #usage = new LabUsage(this.#meter, (engine) => this.#find(engine));

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#paths = labPaths(settings.labDir);
    this.#project = new ComposeProject(settings, this.#paths);
  }

  async up(options: UpOptions): Promise<LabStatus> {
    using _lock = lockCommand(this.#paths);
    // It could replace containers under the experiment's load.
    using _experiment = lockExperiment(this.#settings.labDir, "An experiment is running on this lab.");
    await this.#engine.with(async (engine) => {
      await requireCompose();
      await this.#assertSameProject(engine);
      await assertOwn(engine.client, this.#own(this.#settings.composeProject));
      const parts = { engine, settings: this.#settings, paths: this.#paths, project: this.#project };
      await launch({ ...parts, providing: this.#providing(options.profiles) }, options);
    });
    return await this.status();
  }

  async down(): Promise<DownReport> {
    using _lock = await waitForCommandLock(this.#paths);
    const found = await this.#engine.look();
    if (!found.usable) return this.#downWithoutEngine(found);
    return await this.#engine.with(async ({ client }) => {
      const own = this.#own(this.#projectName);
      await assertOwn(client, own);
      const interrupted = readComposeState(this.#paths)?.phase === "starting";
      const report = await takeDown(client, own.name, { logs: this.#paths.logs, interrupted });
      removeComposeState(this.#paths);
      return report;
    });
  }

  /** What an engine that is stopped holds cannot be removed, and may run again with it. */
  #downWithoutEngine({ reason, remedy }: { reason: string; remedy: string }): DownReport {
    if (readComposeState(this.#paths) === undefined) {
      return { was_running: false, killed: [], swept: 0, seconds: 0, no_engine: { reason, remedy } };
    }
    throw new LabError("LEFTOVERS", "The lab's containers cannot be removed now.", {
      reason: `${reason} They do not run while it is stopped, and may come back with it.`,
      remedy: `Start the engine, then "make down" again. ${remedy}`,
    });
  }

  async removeData(): Promise<void> {
    const name = projectWithVolumes(this.#paths) ?? this.#settings.composeProject;
    const found = await this.#engine.look();
    if (!found.usable) {
      if (projectWithVolumes(this.#paths) === undefined) return;
      throw new LabError("LEFTOVERS", `The volumes of the Compose project "${name}" cannot be removed now.`, {
        reason: found.reason,
        remedy: 'Start the engine, then "make clean" again.',
      });
    }
    await this.#engine.with(async ({ client }) => {
      await removeOwnVolumes(client, this.#own(name));
    });
    rememberVolumes(this.#paths, undefined);
  }

  async status(): Promise<LabStatus> {
    const state = readComposeState(this.#paths);
    const status = await this.#engine.withOrNothing(async (engine) =>
      labStatus(await this.#containers(engine), state, readOverrides(this.#paths), this.#meter),
    );
    return status ?? statusWithoutEngine(state, await this.#engine.look());
  }

  async usage(): Promise<PartUsage[]> {
    return (await this.#engine.withOrNothing((engine) => this.#usage.read(engine))) ?? [];
  }

  async *logs(options: LogsOptions): AsyncIterable<LogLine> {
    const { parts, follow, tail, signal } = options;
    const containers = await this.#engine.with((engine) => this.#containers(engine));
    if (containers.length === 0) {
      yield* readLogs(this.#paths.logs, logsKept(this.#paths.logs, parts), options);
      return;
    }
    const chosen = parts.length > 0 ? parts.map((part) => find(containers, part)) : containers;
    if (!follow) {
      for (const { name, handle } of chosen) {
        for (const line of await tailOf(handle, tail)) yield { part: name, line };
      }
      return;
    }
    yield* followLogs({
      parts: chosen.map(({ name }) => name),
      tail,
      signal,
      find: async (part) => {
        const now = await this.#engine.with((engine) => this.#containers(engine));
        return now.find(({ name, inspected }) => name === part && inspected.State.Running)?.handle;
      },
    });
  }

  async configure(service: string, environment: Record<string, string>): Promise<void> {
    await this.#engine.with(async (engine) => {
      const { kind } = await this.#container(engine, service);
      if (kind !== "service") {
        throw new LabError("NO_SUCH_PART", `${service} is an engine; only services are configured.`);
      }
      const former = readOverrides(this.#paths);
      try {
        await this.#bringUp(engine, service, { ...former, [service]: environment });
      } catch (error) {
        await this.#bringUp(engine, service, former).catch(() => {});
        throw error;
      }
    });
  }

  async variables(service: string, names: readonly string[]): Promise<Record<string, string>> {
    const { inspected } = await this.#engine.with((engine) => this.#container(engine, service));
    return pick(environmentOf(inspected), names);
  }

  async kill(part: string, signal: NodeJS.Signals): Promise<void> {
    await this.#engine.with(async (engine) => sendSignal(await this.#container(engine, part), signal));
  }

  async start(part: string): Promise<void> {
    await this.#engine.with(async (engine) => {
      const container = await this.#container(engine, part);
      const { handle, state, inspected } = container;
      if (inspected.State.Paused) await handle.unpause();
      if (state === "stopped" || state === "failed") await handle.start();
      await this.#waitFor(engine, part, [container]);
    });
  }

  async stop(part: string): Promise<void> {
    await this.#engine.with(async (engine) => {
      const { handle, state } = await this.#container(engine, part);
      if (state !== "stopped") await handle.stop();
    });
  }

  endpoint(part: string): string {
    const known = readComposeState(this.#paths)?.parts.find(({ name }) => name === part);
    if (known === undefined) throw new LabError("NO_SUCH_PART", `There is no part "${part}".`);
    const { port, url } = known;
    if (port === null || url === null) {
      throw new LabError("NO_SUCH_PART", `${part} has no port on this machine: only other parts reach it.`);
    }
    return part === "postgres" ? postgresUrl(port, knownPostgresPassword(this.#paths.secrets) ?? "") : url;
  }

  async describe(): Promise<RuntimeDescription> {
    const { version, engine } = await this.#engine.with(async ({ client, version }) => ({
      version,
      engine: await describeEngine(client),
    }));
    const { parts } = await this.status();
    const versions = Object.fromEntries(parts.map((part) => [part.name, part.version]));
    return {
      runtime: this.name,
      versions: { docker: version, compose: await requireCompose(), ...versions },
      engine,
      images: readComposeState(this.#paths)?.images ?? {},
    };
  }

  #providing(profiles: UpOptions["profiles"]): Providing | undefined {
    if (this.#settings.consumer !== "lambda" || !profiles.includes("orders")) return undefined;
    return {
      what: "Deploying the Lambda function that takes the orders",
      awaitedBy: "orders-receiver",
      // Loaded when it is needed: few labs have a function.
      provide: async (signal) =>
        (await import("../../systems/orders/provide-function.ts")).provideFunction(this, signal),
    };
  }

  async #bringUp(engine: Engine, service: string, overrides: Overrides): Promise<void> {
    const profiles = readComposeState(this.#paths)?.profiles ?? this.#settings.profiles;
    const before = await this.#containers(engine);
    writeOverrides(this.#paths, overrides);
    // Nobody's Ctrl-C leaves a part half configured.
    await this.#project.up(profiles, [service], new AbortController().signal);
    await this.#waitFor(engine, service, before);
  }

  async #waitFor({ client }: Engine, part: string, before: readonly LabContainer[]): Promise<void> {
    const signal = new AbortController().signal;
    const project = this.#projectName;
    await waitHealthy({ client, project, parts: [part], before, signal, timeout: healthyTimeout });
  }

  /** That of the lab which runs, whatever the settings say by now. */
  get #projectName(): string {
    return readComposeState(this.#paths)?.project ?? this.#settings.composeProject;
  }

  #own(name: string): Project {
    return { name, labDir: this.#settings.labDir };
  }

  /** This lab's; those of another one under the same name are not seen. */
  async #containers({ client }: Engine): Promise<LabContainer[]> {
    const containers = await listContainers(client, this.#projectName);
    return containers.filter(({ lab }) => isOwn(lab, this.#settings.labDir));
  }

  /** Only what one list of the engine tells. */
  async #find({ client }: Engine): Promise<Found> {
    const containers = await findContainers(client, this.#projectName);
    return {
      containers: containers.filter(({ lab }) => isOwn(lab, this.#settings.labDir)),
      expected: readComposeState(this.#paths)?.parts.map(({ name }) => name) ?? [],
    };
  }

  async #container(engine: Engine, part: string): Promise<LabContainer> {
    const containers = await this.#containers(engine);
    if (containers.length > 0) return find(containers, part);
    throw new LabError("NOT_RUNNING", "The lab is not running.", { remedy: 'Start it with "make up".' });
  }

  /** @throws LabError OTHER_LAB_RUNNING when this very lab runs under a former name */
  async #assertSameProject({ client }: Engine): Promise<void> {
    const former = this.#projectName;
    const { composeProject } = this.#settings;
    if (former === composeProject || (await listContainers(client, former)).length === 0) return;
    throw new LabError("OTHER_LAB_RUNNING", `The lab runs as the Compose project "${former}".`, {
      reason: `This start is for the project "${composeProject}".`,
      remedy: `Run "make down" first, or set COMPOSE_PROJECT_NAME back to ${former}.`,
    });
  }
}

function find(containers: readonly LabContainer[], part: string): LabContainer {
  const container = containers.find(({ name }) => name === part);
  if (container !== undefined) return container;
  throw new LabError("NO_SUCH_PART", `There is no part "${part}".`, {
    remedy: `Name one of: ${containers.map(({ name }) => name).join(", ")}.`,
  });
}
