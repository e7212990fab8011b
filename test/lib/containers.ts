/**
 * Containers of a suite: started as the lab runs them, with names, host ports, network and volumes of the suite's own, all
 * removed when the suite ends. They may be killed, stopped, cut off and started again.
 */

import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { waitFor } from "@parallax/testkit";
import type Docker from "dockerode";
import type { Test } from "tap";
import type { StartedTestContainer } from "testcontainers";
import { type Engine, requireEngine } from "../../lab/src/docker/engine.ts";
import { demultiplex } from "../../lab/src/docker/log-frames.ts";
import { currentSession, testLabel } from "../../lab/src/docker/test-resources.ts";
import { testcontainersEnvironment } from "../../lab/src/docker/testcontainers.ts";
import { labPaths } from "../../lab/src/paths.ts";
import { freePort } from "../../lab/src/util/ports.ts";
import { LabContainer } from "./lab-container.ts";
import type { Definition } from "./lab-definitions.ts";
import { checkoutSettings } from "./own-lab.ts";

const HEALTHY_MS = 60_000;

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
}

export interface Stopped {
  readonly exitCode: number;
  readonly seconds: number;
}

export interface RunningContainer {
  readonly id: string;
  readonly name: string;
  /** The port on 127.0.0.1 that this port of the container is published at. */
  port(containerPort: number): number;
  inspect(): Promise<Docker.ContainerInspectInfo>;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
  /** As `docker stop`: its own stop signal, then SIGKILL after `graceSeconds`. */
  stop(graceSeconds: number): Promise<Stopped>;
  /** Starts it again; resolves when it is healthy. */
  start(): Promise<void>;
  /** Takes it off the suite's network, and so off the host's ports, or puts it back. */
  disconnect(): Promise<void>;
  reconnect(): Promise<void>;
  /** Freezes its processes, which keep their connections, and lets them go on. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  logs(): Promise<string>;
  exec(command: readonly string[]): Promise<{ exitCode: number; output: string }>;
}

/** A network of the suite's own and the containers in it. */
export class ContainerSuite {
  readonly #engine: Engine;
  readonly #network: string;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #id: string;
  /** Undoes what was made, the last one first. */
  readonly #undo: (() => Promise<unknown>)[] = [];

  /** Removed when `t` ends. */
  static async open(t: Pick<Test, "teardown">): Promise<ContainerSuite> {
    const engine = await requireEngine();
    // A file that is run by itself has not been given these.
    Object.assign(process.env, testcontainersEnvironment(process.env, engine.host));
    const id = randomUUID().slice(0, 8);
    const labels = { [testLabel]: currentSession() };
    const name = `parallax-test-${id}`;
    const network = await engine.client.createNetwork({ Name: name, Labels: labels });
    const suite = new ContainerSuite(engine, name, labels, id);
    suite.#undo.push(() => network.remove());
    t.teardown(() => suite.#close());
    return suite;
  }

  private constructor(engine: Engine, network: string, labels: Readonly<Record<string, string>>, id: string) {
    this.#engine = engine;
    this.#network = network;
    this.#labels = labels;
    this.#id = id;
  }

  /** Starts a container that others in the suite find by `alias`; resolves when it is healthy. */
  async run(alias: string, definition: Definition, options: RunOptions = {}): Promise<RunningContainer> {
    const ports = new Map(
      await Promise.all(definition.ports.map(async ({ target }) => [target, await freePort()] as const)),
    );
    const name = `parallax-test-${this.#id}-${alias}`;
    // Known before it exists, so that one that never becomes healthy is removed too.
    const container = this.#engine.client.getContainer(name);
    const volumes = new Map(
      await Promise.all(
        definition.volumes
          .filter(({ type }) => type === "volume")
          .map(async ({ target }) => [target, await this.#volume()] as const),
      ),
    );
    this.#undo.push(async () => {
      await keepLog(alias, name, await logsOf(container));
      await removed(container.remove({ force: true, v: true }));
    });
    const spec = { ...options, environment: options.environment ?? {}, definition, name, ports };
    const place = { network: this.#network, alias, labels: this.#labels, volumes };
    const starting = new LabContainer({ ...spec, ...place }).start();
    const started = await starting.catch(async (cause) => {
      throw new Error(`${alias} did not become healthy:\n${await logsOf(container)}`, { cause });
    });
    return this.#handle(started, container, { alias, name, ports });
  }

  async #volume(): Promise<string> {
    const { client } = this.#engine;
    const volume = await client.createVolume({
      Name: `parallax-test-${randomUUID()}`,
      Labels: { ...this.#labels },
    });
    this.#undo.push(() => removed(volume.remove()));
    return volume.name;
  }

  #handle(
    started: StartedTestContainer,
    container: Docker.Container,
    { alias, name, ports }: { alias: string; name: string; ports: ReadonlyMap<number, number> },
  ): RunningContainer {
    const network = this.#engine.client.getNetwork(this.#network);
    const ended = async () => (await container.wait()) as { StatusCode: number };
    return {
      id: started.getId(),
      name,
      port: (containerPort) => ports.get(containerPort) ?? Number.NaN,
      inspect: () => container.inspect(),
      async kill() {
        await container.kill({ signal: "SIGKILL" });
        await ended();
      },
      async stop(graceSeconds) {
        const began = performance.now();
        await container.stop({ t: graceSeconds });
        const { StatusCode } = await ended();
        return { exitCode: StatusCode, seconds: (performance.now() - began) / 1000 };
      },
      async start() {
        await container.start();
        await waitFor(
          `${alias} to be healthy`,
          async () => {
            const { State } = await container.inspect();
            return State.Health?.Status === "healthy";
          },
          HEALTHY_MS,
        );
      },
      disconnect: async () => void (await network.disconnect({ Container: name })),
      reconnect: async () =>
        void (await network.connect({ Container: name, EndpointConfig: { Aliases: [alias] } })),
      freeze: async () => void (await container.pause()),
      thaw: async () => void (await container.unpause()),
      logs: () => logsOf(container),
      exec: (command) => started.exec([...command]),
    };
  }

  async #close(): Promise<void> {
    const errors: unknown[] = [];
    for (const undo of this.#undo.reverse()) await undo().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw new AggregateError(errors, "The suite left something behind");
  }
}

async function logsOf(container: Docker.Container): Promise<string> {
  const raw = await container
    .logs({ stdout: true, stderr: true, follow: false })
    .catch(() => Buffer.alloc(0));
  return demultiplex(raw);
}

/** `LAB_DIR/test-integration/<test file>-<alias>-<suite>.log`, until the next run of all suites. */
async function keepLog(alias: string, name: string, text: string): Promise<void> {
  const directory = labPaths(checkoutSettings().labDir).integrationLogs;
  await mkdir(directory, { recursive: true });
  const file = basename(process.argv[1] ?? "", ".test.ts");
  const [, suite = ""] = /^parallax-test-([0-9a-f]+)-/.exec(name) ?? [];
  await writeFile(join(directory, `${file}-${alias}-${suite}.log`), text);
}

/** Gone already is as good. */
async function removed(removal: Promise<unknown>): Promise<void> {
  await removal.catch((error: { statusCode?: number }) => {
    if (error.statusCode !== 404) throw error;
  });
}
