/** Ctrl-C and SIGTERM: the first one asks the command to stop, a second one ends it at once. */
import { exitCodes } from "./exit-codes.ts";
import { LabError } from "./lab-error.ts";

export interface Signals {
  signal: AbortSignal;
  /** The exit code that the received signal stands for; undefined when there was none. */
  exitCode(): number | undefined;
  detach(): void;
}

/**
 * A signal to a whole process group reaches this process twice: directly and through the door (index.cjs), which passes
 * on what it receives. Nobody means two signals within this time.
 */
const ECHO_MS = 500;

/** True for an error that says nothing beyond that the command was interrupted, which whoever interrupted it knows. */
export function isBareInterruption(error: unknown): boolean {
  if (error instanceof LabError) {
    const { code, reason, remedy, detail } = error;
    return code === "INTERRUPTED" && reason === undefined && remedy === undefined && detail.length === 0;
  }
  // What Node's own functions reject with when their signal aborts.
  return error instanceof Error && error.name === "AbortError";
}

/** Listens on the process; `detach` takes the listeners away again. */
export function attachSignals(onFirst: (signal: NodeJS.Signals) => void): Signals {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  let receivedAt = Number.NEGATIVE_INFINITY;
  const codeOf = (signal: NodeJS.Signals) =>
    signal === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated;
  const listen = (signal: NodeJS.Signals) => {
    // A supervisor that is still starting notices that its command has gone and stops everything by itself.
    if (received !== undefined) {
      if (performance.now() - receivedAt > ECHO_MS) process.exit(codeOf(signal));
      return;
    }
    received = signal;
    receivedAt = performance.now();
    onFirst(signal);
    controller.abort(new LabError("INTERRUPTED", "Interrupted."));
  };
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of names) process.on(name, listen);
  return {
    signal: controller.signal,
    exitCode: () => (received === undefined ? undefined : codeOf(received)),
    detach: () => {
      for (const name of names) process.off(name, listen);
    },
  };
}
