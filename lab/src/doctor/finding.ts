/**
 * One thing that was looked at: what was found and how to mend it. Checks change nothing and never throw; what cannot be
 * found out in time is a warning.
 */
import { LabError, messageOf } from "../cli/lab-error.ts";
import type { RuntimeName } from "../settings.ts";

export interface Finding {
  check: string;
  state: "ok" | "warn" | "fail";
  /** What was found. */
  found: string;
  /** How to mend it; only when there is something to mend. */
  fix?: string;
  /** Only this runtime needs it; absent when every one does. */
  needed_by?: RuntimeName;
}

/** No check takes longer than this. */
export const checkMs = 5_000;

/** Runs a check to its end or to the limit, whatever happens in it. */
export async function bounded(
  check: string,
  work: () => Finding[] | Promise<Finding[]>,
  milliseconds = checkMs,
): Promise<Finding[]> {
  try {
    return await limited(work, milliseconds);
  } catch (error) {
    return [{ check, state: "warn", found: `could not be found out: ${messageOf(error)}` }];
  }
}

/** @throws Error when it takes longer, and whatever it throws */
export async function limited<T>(work: () => T | Promise<T>, milliseconds = checkMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`no answer within ${milliseconds / 1000} s`);
    timer = setTimeout(() => reject(error), milliseconds);
  });
  try {
    return await Promise.race([(async () => work())(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A failure with what the error says of it. */
export function failed(check: string, error: unknown): Finding {
  const fix = error instanceof LabError ? error.remedy : undefined;
  const reason = error instanceof LabError && error.reason !== undefined ? ` ${error.reason}` : "";
  return { check, state: "fail", found: `${messageOf(error)}${reason}`, ...(fix !== undefined && { fix }) };
}

/** What only the runtime that is not used needs is no fault, whatever it is like. */
export function judgeFor(runtime: RuntimeName, findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => {
    if (finding.needed_by === undefined || finding.needed_by === runtime || finding.state === "ok")
      return finding;
    const { fix: _, ...rest } = finding;
    return { ...rest, state: "ok", found: `${finding.found}; only RUNTIME=${finding.needed_by} needs it` };
  });
}
