/** A lab with one part, the timed service as a child process: just enough of a runtime for the engine to run on. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { LabError, messageOf } from "../cli/lab-error.ts";
import type {
  DownReport,
  LabFailure,
  LabStatus,
  LogLine,
  LogsOptions,
  PartUsage,
  Runtime,
  RuntimeDescription,
  Usage,
} from "../runtimes/runtime.ts";
import { pick } from "../util/pick.ts";
import { processTable, processTree } from "../util/processes.ts";
import { childEnvironment } from "../util/run-command.ts";

export const TIMED_SERVICE = "timed-service";

const PROGRAM = fileURLToPath(new URL("./timed-service.ts", import.meta.url));
const DEFAULTS = { SERVICE_MS: "20", JITTER: "0.2", SEED: "1" };
const START_MS = 30_000;
const LOG_LINES = 200;

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  readonly since: number;
}

export class TimedRuntime implements Runtime {
  readonly name = "process";
  #running: Running | undefined;
  #overrides: Readonly<Record<string, string>> = {};
  #failure: LabFailure | undefined;
  #log: string[] = [];

  async up(): Promise<LabStatus> {
    if (!this.#running) await this.start();
    return await this.status();
  }

  async down(): Promise<DownReport> {
    const began = performance.now();
    const was_running = this.#running !== undefined;
    await this.stop();
    return { was_running, killed: [], swept: 0, seconds: (performance.now() - began) / 1000 };
  }

  async configure(_service: string, environment: Record<string, string>): Promise<void> {
    await this.stop();
    this.#overrides = environment;
    await this.start();
  }

  async start(): Promise<void> {
    this.#failure = undefined;
    this.#running = await this.#launch();
  }

  /** At once: it has nothing to bring into order. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (!running || running.child.exitCode !== null || running.child.signalCode !== null) return;
    const ended = once(running.child, "exit");
    running.child.kill("SIGKILL");
    await ended;
  }

  async kill(_part: string, signal: NodeJS.Signals): Promise<void> {
    this.#running?.child.kill(signal);
  }

  async removeData(): Promise<void> {}

  async status(): Promise<LabStatus> {
    const running = this.#running;
    const [usage = nothing] = await this.usage();
    return {
      runtime: this.name,
      state: this.#failure ? "failed" : running ? "running" : "stopped",
      profiles: [],
      since: null,
      ...(this.#failure && { failure: this.#failure }),
      parts: [
        {
          name: TIMED_SERVICE,
          ...usage,
          kind: "service",
          state: this.#failure ? "failed" : running ? "running" : "stopped",
          pid: running?.child.pid ?? null,
          container: null,
          port: running?.port ?? 0,
          url: running ? this.endpoint() : "",
          restarts: 0,
          uptime_seconds: running ? (performance.now() - running.since) / 1000 : null,
          version: process.version,
          overrides: this.#overrides,
        },
      ],
    };
  }

  async usage(): Promise<PartUsage[]> {
    const pid = this.#running?.child.pid;
    const tree = pid === undefined ? [] : processTree(await processTable(), pid);
    if (tree.length === 0) return [{ name: TIMED_SERVICE, ...nothing }];
    return [
      {
        name: TIMED_SERVICE,
        ...nothing,
        cpu_seconds: tree.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
        memory_mb: tree.reduce((sum, { rss }) => sum + rss, 0) / 2 ** 20,
      },
    ];
  }

  async *logs({ tail }: LogsOptions): AsyncIterable<LogLine> {
    for (const line of this.#log.slice(-tail)) yield { part: TIMED_SERVICE, line };
  }

  async variables(_service: string, names: readonly string[]): Promise<Record<string, string>> {
    return pick({ ...DEFAULTS, ...this.#overrides }, names);
  }

  endpoint(): string {
    if (!this.#running) throw new LabError("NOT_RUNNING", "The timed service does not run.");
    return `http://127.0.0.1:${this.#running.port}`;
  }

  async describe(): Promise<RuntimeDescription> {
    return { runtime: this.name, versions: { [TIMED_SERVICE]: process.version } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #launch(): Promise<Running> {
    const child = fork(PROGRAM, {
      // A group of its own: Ctrl-C at the terminal is for the command, which ends this when it is done with it.
      detached: process.platform !== "win32",
      env: { ...childEnvironment(process.env), ...DEFAULTS, ...this.#overrides },
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log = [...this.#log, ...text.trimEnd().split("\n")].slice(-LOG_LINES);
    });
    const ready = new AbortController();
    const died = once(child, "exit", { signal: ready.signal }).then(([code, signal]) => {
      throw new Error(`It ended with ${signal ?? `exit code ${code}`}.`);
    });
    try {
      const signal = AbortSignal.any([ready.signal, AbortSignal.timeout(START_MS)]);
      const [{ port }] = (await Promise.race([once(child, "message", { signal }), died])) as [
        { port: number },
      ];
      child.once("exit", (code, signal) => this.#ended(child, signal ?? `exit code ${code}`));
      return { child, port, since: performance.now() };
    } catch (cause) {
      child.kill("SIGKILL");
      throw new LabError("NOT_HEALTHY", "The timed service did not start.", {
        reason: messageOf(cause),
        detail: this.#log.slice(-10),
        cause,
      });
    } finally {
      ready.abort();
    }
  }

  /** Of itself, or by somebody else's hand; `stop` has forgotten it before. */
  #ended(child: ChildProcess, how: string): void {
    if (this.#running?.child !== child) return;
    this.#failure = {
      part: TIMED_SERVICE,
      what: `${TIMED_SERVICE} ended with ${how}.`,
      log_tail: this.#log.slice(-10),
      at: new Date().toISOString(),
    };
  }
}

const nothing: Usage = {
  cpu_seconds: null,
  memory_mb: null,
  network_rx_bytes: null,
  network_tx_bytes: null,
  throttled_seconds: null,
};
