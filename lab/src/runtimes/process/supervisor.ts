/**
 * The supervisor: a detached process that owns every part of one lab. Run as
 * `node supervisor.ts <LAB_DIR>` with an IPC channel to the command that started it:
 *
 *     command → supervisor   start {plan} · commit · abort
 *     supervisor → command   event · ready {status} · committed · failed {error} · stopped
 *
 * Until `commit` it lives only as long as that channel: when it closes, by Ctrl-C, crash or SIGKILL of the command,
 * everything is stopped. After it, the control socket is the way in.
 */
import type { Server } from "node:net";
import { resolve } from "node:path";
import { LabError, messageOf, type SerialLabError } from "../../cli/lab-error.ts";
import { type LabPaths, labPaths } from "../../paths.ts";
import { type Lock, tryLock } from "../../util/lock.ts";
import { startMark } from "../../util/processes.ts";
import { tailOf } from "../log-files.ts";
import type { LabEvent, LabFailure, LabStatus } from "../runtime.ts";
import { type ControlRequest, removeControl, serveControl, socketPath } from "./control.ts";
import { Guardian } from "./guardian.ts";
import { Lab } from "./lab.ts";
import type { LabPlan } from "./plan.ts";
import { type LabStateFile, removeFailure, removeState, writeFailure, writeState } from "./state.ts";

export type ToSupervisor = { type: "start"; plan: LabPlan } | { type: "commit" } | { type: "abort" };

export type FromSupervisor =
  | { type: "event"; event: LabEvent }
  | { type: "ready"; status: LabStatus }
  | { type: "committed" }
  | { type: "failed"; error: SerialLabError }
  | { type: "stopped" };

class Supervisor {
  readonly #paths: LabPaths;
  readonly #socket: string;
  readonly #starting = new AbortController();
  #committed = false;
  #lock: Lock | undefined;
  #guardian: Guardian | undefined;
  #lab: Lab | undefined;
  #server: Server | undefined;
  #stopping: Promise<string[]> | undefined;

  constructor(labDir: string) {
    this.#paths = labPaths(labDir);
    this.#socket = socketPath(labDir);
  }

  attach(): void {
    process.on("message", (message: ToSupervisor) => {
      if (message.type === "start") void this.#start(message.plan);
      if (message.type === "commit") this.#commit();
      if (message.type === "abort") void this.#end(1);
    });
    process.on("disconnect", () => {
      if (!this.#committed) void this.#end(1);
    });
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
      process.on(signal, () => void this.#end(0));
    process.on("uncaughtException", (error) => {
      console.error(error);
      void this.#broke(error);
    });
    // The command may have died before we began to listen.
    if (!process.connected) void this.#end(1);
  }

  async #start(plan: LabPlan): Promise<void> {
    try {
      this.#lock = tryLock(this.#paths.supervisorLock);
      if (this.#lock === undefined) throw new LabError("BUSY", "Another supervisor runs this lab already.");
      removeFailure(this.#paths);
      this.#guardian = new Guardian();
      this.#lab = new Lab({
        plan,
        logs: this.#paths.logs,
        guardian: this.#guardian,
        onEvent: (event) => this.#tell({ type: "event", event }),
        onChange: () => this.#record(),
        onFatal: (failure) => void this.#fail(failure),
      });
      this.#record();
      this.#server = await serveControl(this.#socket, (request) => this.#handle(request));
      await this.#lab.startAll(this.#starting.signal);
      this.#tell({ type: "ready", status: await this.#lab.status() });
    } catch (error) {
      if (this.#stopping === undefined) {
        if (!(error instanceof LabError)) console.error(error);
        const known =
          error instanceof LabError ? error : new LabError("PART_FAILED", messageOf(error), { cause: error });
        this.#tell({ type: "failed", error: known.toJSON() });
      }
      await this.#end(1);
    }
  }

  #commit(): void {
    if (this.#stopping !== undefined) return;
    this.#committed = true;
    // The command hangs up once it has read this; until then it may still abort.
    this.#tell({ type: "committed" });
  }

  async #handle(request: ControlRequest): Promise<unknown> {
    const lab = this.#lab;
    if (lab === undefined) throw new LabError("CONTROL_FAILED", "The lab has no parts yet.");
    switch (request.op) {
      case "status":
        return lab.status();
      case "configure":
        return lab.configure(request.part, request.environment);
      case "variables":
        return lab.variables(request.part, request.names);
      case "kill":
        return lab.kill(request.part, request.signal as NodeJS.Signals);
      case "start":
        return lab.start(request.part);
      case "stop":
        return lab.stop(request.part);
      case "shutdown": {
        const killed = await this.#stopParts();
        // After the answer has been written.
        setImmediate(() => void this.#end(0));
        return { killed };
      }
    }
  }

  async #fail(failure: LabFailure): Promise<void> {
    if (this.#stopping !== undefined) return;
    try {
      writeFailure(this.#paths, failure);
    } catch (error) {
      // On a full disk nobody can be told later, but everything is stopped all the same.
      console.error(`The failure cannot be written down: ${messageOf(error)}`);
    }
    console.error(failure.what);
    await this.#end(1);
  }

  /** A defect of the supervisor itself. A command that still waits for the start is told by its exit. */
  async #broke(error: unknown): Promise<void> {
    if (!this.#committed) return this.#end(1);
    await this.#fail({
      part: "supervisor",
      what: `The lab's supervisor broke: ${messageOf(error)}`,
      log_tail: tailOf(this.#paths.logs, "supervisor", 15),
      at: new Date().toISOString(),
    });
  }

  #stopParts(): Promise<string[]> {
    this.#starting.abort(new LabError("INTERRUPTED", "The start was interrupted; everything was stopped."));
    this.#stopping ??= this.#lab?.stopAll() ?? Promise.resolve([]);
    return this.#stopping;
  }

  async #end(code: number): Promise<void> {
    await this.#stopParts();
    if (this.#lock !== undefined) {
      removeState(this.#paths);
      removeControl(this.#socket);
    }
    this.#guardian?.dismiss();
    this.#tell({ type: "stopped" });
    this.#server?.close();
    // Answers under way and the guardian's dismissal have a moment to leave.
    setTimeout(() => process.exit(code), 20);
  }

  #record(): void {
    const lab = this.#lab;
    if (lab === undefined) return;
    const state: LabStateFile = {
      supervisor: { pid: process.pid, start: startMark(process.pid) ?? "unknown" },
      socket: this.#socket,
      since: lab.since,
      profiles: [...lab.profiles],
      parts: lab.parts.map(({ plan, mark }) => ({
        name: plan.name,
        kind: plan.kind,
        port: plan.port,
        url: plan.url,
        version: plan.version,
        process: mark ?? null,
      })),
    };
    try {
      writeState(this.#paths, state);
    } catch (error) {
      // LAB_DIR is gone or full. The lab goes on: it can still be stopped over its socket.
      console.error(`The state cannot be written down: ${messageOf(error)}`);
    }
  }

  #tell(message: FromSupervisor): void {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  }
}

const labDir = process.argv[2];
if (labDir === undefined) throw new Error("usage: supervisor.ts LAB_DIR");
new Supervisor(resolve(labDir)).attach();
