/** A container as the lab runs it, by Testcontainers, which lacks some of the options that compose files have. */

import { GenericContainer, Wait } from "testcontainers";
import { type Definition, nanoseconds } from "./lab-definitions.ts";

export interface LabContainerOptions {
  /** Its image is on this machine: nothing is pulled. */
  readonly definition: Definition;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The one network it is in, and its name there. */
  readonly network: string;
  readonly alias: string;
  /** Over what the definition has. */
  readonly environment: Readonly<Record<string, string>>;
  readonly command?: readonly string[] | undefined;
  /** Host port by container port; on 127.0.0.1, the same after a restart. */
  readonly ports: ReadonlyMap<number, number>;
  /** Volume's name by the path it is mounted at. */
  readonly volumes: ReadonlyMap<string, string>;
}

const START_MS = 90_000;

export class LabContainer extends GenericContainer {
  constructor(options: LabContainerOptions) {
    const { definition, ports } = options;
    super(definition.image);
    this.withName(options.name)
      .withLabels({ ...options.labels })
      .withPullPolicy({ shouldPull: () => "never" })
      .withEnvironment(environmentOf(options))
      .withNetworkMode(options.network)
      .withExposedPorts(...[...ports].map(([container, host]) => ({ container, host })))
      .withWaitStrategy(Wait.forHealthCheck())
      .withStartupTimeout(START_MS);
    // withNetworkAliases would put it on the default bridge too, past which nothing could cut it off.
    this.createOpts.NetworkingConfig = {
      EndpointsConfig: { [options.network]: { Aliases: [options.alias] } },
    };
    // Testcontainers binds to every address of the machine.
    for (const bindings of Object.values(this.hostConfig.PortBindings ?? {})) {
      for (const binding of bindings as { HostIp?: string }[]) binding.HostIp = "127.0.0.1";
    }
    const command = options.command ?? definition.command;
    if (command) this.withCommand([...command]);
    if (definition.user) this.withUser(definition.user);
    if (definition.stop_signal) this.createOpts.StopSignal = definition.stop_signal;
    this.createOpts.Healthcheck = healthcheckOf(definition);
    Object.assign(this.hostConfig, {
      Init: definition.init,
      ReadonlyRootfs: definition.read_only,
      Tmpfs: Object.fromEntries(definition.tmpfs.map(splitTmpfs)),
      CapDrop: definition.cap_drop,
      SecurityOpt: definition.security_opt,
      PidsLimit: definition.pids_limit,
      Memory: definition.mem_limit,
      MemorySwap: definition.memswap_limit,
      ShmSize: definition.shm_size,
      NanoCpus: definition.cpus && definition.cpus * 1e9,
      Mounts: [
        ...[...options.volumes].map(([Target, Source]) => ({ Type: "volume" as const, Source, Target })),
        ...definition.volumes.flatMap((volume) =>
          volume.type === "bind"
            ? [{ Type: "bind" as const, Source: volume.source, Target: volume.target, ReadOnly: true }]
            : [],
        ),
      ],
    });
  }
}

function environmentOf({ definition, environment }: LabContainerOptions): Record<string, string> {
  const own = Object.entries(definition.environment).flatMap(([name, value]) =>
    value === null ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(own), ...environment };
}

function healthcheckOf({ healthcheck }: Definition) {
  return {
    Test: healthcheck.test,
    Interval: nanoseconds(healthcheck.interval),
    Timeout: nanoseconds(healthcheck.timeout),
    Retries: healthcheck.retries,
    StartPeriod: nanoseconds(healthcheck.start_period),
    StartInterval: nanoseconds(healthcheck.start_interval),
  };
}

function splitTmpfs(text: string): [path: string, options: string] {
  const at = text.indexOf(":");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
