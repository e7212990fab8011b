/**
 * The plan: everything a supervisor needs to know to run a lab, as plain data. It is sent over a pipe, never written to
 * disk, because the environments in it hold passwords. Tests run the supervisor on plans of their own.
 */
import type { PartKind } from "../runtime.ts";

/** How to find out that a part answers. */
export type Probe =
  | { type: "http"; url: string }
  | { type: "tcp"; port: number }
  | { type: "redis"; port: number }
  | { type: "nats"; port: number }
  | { type: "postgres"; url: string };

export interface PartPlan {
  /** As shown by `status`. */
  name: string;
  kind: PartKind;
  command: string;
  args: readonly string[];
  cwd: string;
  /** The whole environment of the process; nothing is inherited. */
  environment: Readonly<Record<string, string>>;
  /** Run as this user; only root can. */
  uid?: number | undefined;
  gid?: number | undefined;
  port: number;
  /** The variable that moves the port. */
  portVariable?: string | undefined;
  /** For display, without credentials. */
  url: string;
  version: string;
  probe: Probe;
  /** Milliseconds from spawn to the first good answer. */
  readyTimeout: number;
  /** Asks the part to end in order. */
  stopSignal: NodeJS.Signals;
  /** Milliseconds from the stop signal to SIGKILL. */
  stopGrace: number;
  /** Parts that must answer before this one is started, and that are stopped after it. */
  dependsOn: readonly string[];
}

export interface LabPlan {
  profiles: readonly string[];
  parts: readonly PartPlan[];
  restarts: RestartPolicy;
}

/** When services are restarted, and when no longer. */
export interface RestartPolicy {
  /** Milliseconds before the first restart; doubles with each further death. */
  firstDelay: number;
  /** Milliseconds between restarts at most. */
  mostDelay: number;
  /** Deaths within `window` after which a service is given up. */
  mostDeaths: number;
  /** Milliseconds. */
  window: number;
}

export const defaultRestarts: RestartPolicy = {
  firstDelay: 200,
  mostDelay: 5_000,
  mostDeaths: 5,
  window: 60_000,
};
