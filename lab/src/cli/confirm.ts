/** Asking before something that cannot be taken back. Without a person at a terminal nothing is asked and nothing done. */
import { createInterface } from "node:readline/promises";
import type { CliContext } from "./context.ts";
import { LabError } from "./lab-error.ts";

export interface Question {
  /** Without the question mark's "[y/N]". */
  question: string;
  /** What did not happen when the answer is no, as in "Nothing was removed." */
  declined: string;
  /** How to agree beforehand. */
  remedy: string;
}

/** @throws LabError USAGE when nobody can be asked, or the answer is not yes */
export async function confirm(context: CliContext, { question, declined, remedy }: Question): Promise<void> {
  if (!canAsk(context)) {
    throw new LabError("USAGE", declined, { reason: "Without a terminal there is nobody to ask.", remedy });
  }
  const dialog = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const reply = await dialog.question(`${question} [y/N] `, { signal: context.signal });
    if (/^y(es)?$/i.test(reply.trim())) return;
  } finally {
    dialog.close();
  }
  throw new LabError("USAGE", declined, { reason: "The answer was not yes." });
}

/** True when a person is at the terminal. */
export function canAsk(context: CliContext): boolean {
  return process.stdin.isTTY === true && context.output.interactive && !context.environment.CI;
}
