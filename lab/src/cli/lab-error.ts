/**
 * The one error class that people see: what happened, why, what to do next. Codes are a closed list, each with the exit
 * code that it ends the command with. Anything else that is thrown is a defect and is printed as one.
 */
import { type ExitCode, exitCodes } from "./exit-codes.ts";

/** Every code and the exit code that goes with it. */
export const labErrorCodes = {
  USAGE: exitCodes.usage,
  SETTINGS_INVALID: exitCodes.usage,
  NO_SUCH_PART: exitCodes.usage,
  NOT_RUNNING: exitCodes.notRunning,
  NOT_HEALTHY: exitCodes.notRunning,
  VERDICT_BROKEN: exitCodes.verdict,
  PREREQUISITE_MISSING: exitCodes.prerequisite,
  PORT_TAKEN: exitCodes.prerequisite,
  BUSY: exitCodes.busy,
  OTHER_LAB_RUNNING: exitCodes.busy,
  PART_FAILED: exitCodes.failed,
  COMMAND_FAILED: exitCodes.failed,
  DATA_DAMAGED: exitCodes.failed,
  CONTROL_FAILED: exitCodes.failed,
  LEFTOVERS: exitCodes.failed,
  INTERRUPTED: exitCodes.interrupted,
} as const satisfies Record<string, ExitCode>;

export type LabErrorCode = keyof typeof labErrorCodes;

export interface LabErrorOptions {
  /** Why it happened, as far as is known. */
  reason?: string | undefined;
  /** What to do next. */
  remedy?: string | undefined;
  /** Lines to show under the error, such as the end of a log. */
  detail?: readonly string[] | undefined;
  cause?: unknown;
}

/** An error for the person at the keyboard; `message` says what happened. */
export class LabError extends Error {
  override readonly name = "LabError";
  readonly code: LabErrorCode;
  readonly reason: string | undefined;
  readonly remedy: string | undefined;
  readonly detail: readonly string[];

  constructor(code: LabErrorCode, message: string, options: LabErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.reason = options.reason;
    this.remedy = options.remedy;
    this.detail = options.detail ?? [];
  }

  get exitCode(): ExitCode {
    return labErrorCodes[this.code];
  }

  /** Plain data, to cross a process boundary. The cause stays behind: it belongs into the log of its process. */
  toJSON(): SerialLabError {
    return {
      code: this.code,
      message: this.message,
      reason: this.reason,
      remedy: this.remedy,
      detail: [...this.detail],
    };
  }

  /** The other way round; an unknown code becomes COMMAND_FAILED. */
  static from(data: Partial<SerialLabError>): LabError {
    const code = data.code !== undefined && data.code in labErrorCodes ? data.code : "COMMAND_FAILED";
    return new LabError(code, data.message ?? "It failed without saying why.", data);
  }
}

export interface SerialLabError {
  code: LabErrorCode;
  message: string;
  reason?: string | undefined;
  remedy?: string | undefined;
  detail: string[];
}

/** The message of anything that was thrown, following `cause` when the outer message says nothing. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  if (error instanceof Error) return error.message;
  return String(error);
}

/** True for an errno error with this code, such as ENOENT. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
