/**
 * What every runtime can do, whatever runs the parts: child processes here, containers under Compose.
 *
 * - **part**: an engine or a service of the lab, by its name in `status` (`postgres`, `orders-receiver`).
 * - **engine**: a backing server with data of its own. It is not restarted behind a person's back: its death after `up`
 *   leaves a lab in containers degraded until the next `up` and stops a lab of processes, except when it was killed
 *   through `kill`, which is an experiment.
 * - **service**: our code. It is restarted when it dies, as by Compose's `restart: unless-stopped`.
 */
import type { Profile, RuntimeName } from "../settings.ts";

export type PartKind = "engine" | "service";

/**
 * `unhealthy`: the process is there and does not answer. `failed`: it died too often and is no longer restarted.
 * `stopped`: on purpose, or by `kill`.
 */
export type PartState = "stopped" | "starting" | "running" | "unhealthy" | "restarting" | "failed";

/** `failed`: it stopped by itself. `stopping`: with a failure when it does so by itself. */
export type LabState = "stopped" | "starting" | "running" | "degraded" | "stopping" | "failed";

/**
 * What a part takes, since its process or container was started: counters begin again at 0 with the next one. All of it
 * is null for what does not run, and each where the system does not tell (/proc is Linux's alone).
 */
export interface Usage {
  /** Processor time, user and system, of all its processes. */
  cpu_seconds: number | null;
  /**
   * Resident memory in MiB. Of a container: its cgroup's, without page cache that could be dropped at once. Of a process:
   * its whole tree's, where memory shared between processes counts in each.
   */
  memory_mb: number | null;
  /**
   * Bytes that a container received and sent over its network interfaces, loopback left out, so without its health checks.
   * Null for a process: Linux counts them by network namespace, and /proc/<pid>/net tells of the whole machine's.
   */
  network_rx_bytes: number | null;
  network_tx_bytes: number | null;
  /**
   * Time for which the CPU quota held it back, each processor's added up: with several threads it may grow faster than the
   * clock. Null without a quota, and for a process in the lab's own cgroup, whose throttling is no part's own.
   */
  throttled_seconds: number | null;
}

export interface PartUsage extends Usage {
  /** The part's name, as in its status. */
  name: string;
}

export interface PartStatus extends PartUsage {
  kind: PartKind;
  state: PartState;
  /** Of the process runtime; null for what does not run and for containers. */
  pid: number | null;
  /** Short id, where the part is a container. */
  container: string | null;
  /** On 127.0.0.1; null for one that only other parts reach, such as a gateway behind a load balancer. */
  port: number | null;
  /** Without any password; null without a port. */
  url: string | null;
  /** Starts after a death that nobody asked for; being configured anew does not count. */
  restarts: number;
  uptime_seconds: number | null;
  version: string;
  /** What `configure` laid over the defaults; empty normally. */
  overrides: Readonly<Record<string, string>>;
}

export interface LabFailure {
  part: string;
  /** What happened, in a sentence. */
  what: string;
  /** The last lines of the part's log. */
  log_tail: string[];
  /** ISO 8601. */
  at: string;
}

/** Why a lab could not be looked for, and what to do about it: the engine that would run it does not answer. */
export interface NoEngine {
  reason: string;
  remedy: string;
}

export interface LabStatus {
  runtime: RuntimeName;
  state: LabState;
  profiles: readonly string[];
  /** When `up` was called, ISO 8601. */
  since: string | null;
  parts: PartStatus[];
  failure?: LabFailure;
  /** Where it is called stopped only because nothing is known of one that was started. */
  no_engine?: NoEngine;
}

/** Progress of `up` and `down`, for people. */
export interface LabEvent {
  kind: "begin" | "done" | "warn";
  text: string;
  part?: string;
}

export interface LogLine {
  part: string;
  line: string;
}

export interface UpOptions {
  profiles: readonly Profile[];
  /** Aborting stops and removes everything that was started, then `up` rejects. */
  signal: AbortSignal;
  onEvent(event: LabEvent): void;
}

export interface LogsOptions {
  /** Part names; empty means all. */
  parts: readonly string[];
  follow: boolean;
  /** Lines of each part to begin with. */
  tail: number;
  signal: AbortSignal;
}

export interface DownReport {
  /** False when nothing ran. */
  was_running: boolean;
  /** Parts that had to be killed because they outlived their grace period. */
  killed: string[];
  /** Processes of an earlier, crashed lab that were found and ended. */
  swept: number;
  seconds: number;
  /** Where nothing was stopped because nothing could be looked for, and nothing is known of a lab that was started. */
  no_engine?: NoEngine;
}

/** For run.json: what the measured numbers were measured on. */
export interface RuntimeDescription {
  runtime: RuntimeName;
  /** Version by part name, and of what they run on. */
  versions: Record<string, string>;
  /** What the containers run on, which need not be this machine. */
  engine?: EngineMachine;
  /** By part name, where parts are containers. */
  images?: Record<string, ImageUsed>;
}

export interface EngineMachine {
  os: string;
  kernel: string;
  cpus: number;
  memory_mb: number;
  storage_driver: string;
}

export interface ImageUsed {
  /** As named, with its tag. */
  reference: string;
  /** Content address of its configuration, the same wherever it was loaded. */
  id: string;
  /** Content address of its manifest; only for an image that came from a registry. */
  digest: string | null;
  /** Id of the image that it stands on, for one that was built here. */
  base?: string | undefined;
}

export interface Runtime {
  readonly name: RuntimeName;
  /**
   * Starts the lab and waits until every part answers. What runs already and is healthy is left alone, except that
   * containers are replaced whose image or settings have changed since.
   * @throws LabError; nothing is left running then
   */
  up(options: UpOptions): Promise<LabStatus>;
  /** Stops everything, also what a crashed lab left behind. Never fails because nothing runs. */
  down(): Promise<DownReport>;
  /** Removes the data that `down` leaves, where the runtime keeps it outside LAB_DIR. Only for a lab that is stopped. */
  removeData(): Promise<void>;
  /** Works when nothing runs, too. It asks the parts whether they answer: too dear for once a second beside a load. */
  status(): Promise<LabStatus>;
  /**
   * What each part takes, for sampling: a few milliseconds, and no question to any part. In the order of `status`, with
   * those that do not run; empty when nothing of the lab is there. A part that was started or replaced by another command
   * may be seen two seconds later.
   */
  usage(): Promise<PartUsage[]>;
  /** Lines of the parts' logs, oldest first within a part; ends when `signal` aborts, or at once without `follow`. */
  logs(options: LogsOptions): AsyncIterable<LogLine>;
  /**
   * Restarts one service with these variables over its defaults and waits until it is healthy; `{}` restores the
   * defaults. When the service does not become healthy its former environment is brought back and this rejects.
   */
  configure(service: string, environment: Record<string, string>): Promise<void>;
  /**
   * Fault injection: sends a signal to the part's main process. A service is restarted as after any death; an engine
   * stays dead until `start`. SIGSTOP and SIGCONT freeze and thaw.
   */
  kill(part: string, signal: NodeJS.Signals): Promise<void>;
  /** Starts a stopped part and waits until it answers. */
  start(part: string): Promise<void>;
  /** Stops one part in order, data kept; it stays stopped until `start`. */
  stop(part: string): Promise<void>;
  /**
   * Those of these variables that the service has, `configure` included: also secrets, so not for display. How a client that
   * stands beside the services learns what they are connected to.
   * @throws LabError NOT_RUNNING
   */
  variables(service: string, names: readonly string[]): Promise<Record<string, string>>;
  /** The part's URL, with credentials where it has any: not for display. */
  endpoint(part: string): string;
  describe(): Promise<RuntimeDescription>;
}
