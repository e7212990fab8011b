/**
 * Where the lab keeps its things, all below LAB_DIR (`.lab` in the repository). Nothing else of the machine is written
 * to, except the control socket's directory under the system's temporary directory, what a Docker engine keeps (images, and
 * the volumes of the project that `compose-volumes.json` names) and, for root only, what `outside.json` lists.
 */
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root directory. */
export const rootDir = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

export interface LabPaths {
  labDir: string;
  /** What runs: pids, start times, ports. There only while something runs, or was left behind. */
  state: string;
  /** Why the lab stopped by itself. There until the next up or down. */
  failure: string;
  /** Passwords made at the first start; mode 0600. */
  secrets: string;
  /** Directories outside LAB_DIR that `clean` has to remove. */
  outside: string;
  /** What the containers were started with. There from `up` to `down`. */
  composeState: string;
  /** Name of the Compose project whose volumes hold this lab's data. There until `clean`. */
  composeVolumes: string;
  /** Every variable of the compose files as `up` has filled it in, for `docker compose --env-file`; mode 0600. */
  composeEnvironment: string;
  /** What `configure` has laid over the compose files; itself one of them. */
  composeOverrides: string;
  /** Held by the command that is starting or stopping the lab. */
  commandLock: string;
  /** Held by the supervisor as long as it lives. */
  supervisorLock: string;
  /** Held by the command that runs an experiment: two at once would judge each other's load. */
  experimentLock: string;
  logs: string;
  data: string;
  engines: string;
  /** Compiled code of the development tools. */
  cache: string;
  /** What the test runner has recorded of the last run, for each of the two commands. */
  testRecord: string;
  integrationRecord: string;
  /** Containers' logs of the last run of the integration tests. */
  integrationLogs: string;
  /** Held while the npm packages are being installed. */
  installLock: string;
}

/** @param labDir absolute path of LAB_DIR */
export function labPaths(labDir: string): LabPaths {
  return {
    labDir,
    state: join(labDir, "state.json"),
    failure: join(labDir, "failure.json"),
    secrets: join(labDir, "secrets.json"),
    outside: join(labDir, "outside.json"),
    composeState: join(labDir, "compose-state.json"),
    composeVolumes: join(labDir, "compose-volumes.json"),
    composeEnvironment: join(labDir, "compose.env"),
    composeOverrides: join(labDir, "compose.overrides.json"),
    commandLock: join(labDir, "command.lock"),
    supervisorLock: join(labDir, "supervisor.lock"),
    experimentLock: join(labDir, "experiment.lock"),
    logs: join(labDir, "logs"),
    data: join(labDir, "data"),
    engines: join(labDir, "engines"),
    cache: join(labDir, "cache"),
    testRecord: join(labDir, "test.tap"),
    integrationRecord: join(labDir, "test-integration.tap"),
    integrationLogs: join(labDir, "test-integration"),
    installLock: join(labDir, "install.lock"),
  };
}
