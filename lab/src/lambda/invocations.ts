/** A function's invocations, as CloudWatch Logs tell of them. */

import { type CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { LabError } from "../cli/lab-error.ts";
import { type InvokedLine, type LambdaReport, parseInvoked, parseReport } from "./report-line.ts";

export interface Invocation {
  readonly report: LambdaReport;
  /** When its REPORT line was written, milliseconds since 1970. */
  readonly at: number;
  readonly coldStart: boolean;
  readonly ownInitMs: number | null;
}

export interface FunctionLogLine {
  readonly at: number;
  readonly line: string;
}

/** Of 10,000 lines at the most, or 1 MB; an invocation writes five or so. */
const MOST_PAGES = 100;

/**
 * Those that have ended since then, the oldest first. AWS shows lines some seconds after they were written.
 * @param since milliseconds since 1970
 */
export async function readInvocations(
  client: CloudWatchLogsClient,
  functionName: string,
  { since, signal }: { readonly since: number; readonly signal?: AbortSignal },
): Promise<Invocation[]> {
  return invocationsOf(await readLines(client, functionName, { since, ...(signal && { signal }) }));
}

/** Whatever the order of the lines: those of an invocation belong together by its request id. */
export function invocationsOf(lines: readonly FunctionLogLine[]): Invocation[] {
  const invoked = new Map<string, InvokedLine>();
  const reports = new Map<string, { readonly report: LambdaReport; readonly at: number }>();
  for (const { at, line } of lines) {
    const report = parseReport(line);
    // One attempt after another has the same request id on AWS: the first one tells of the start.
    if (report && !reports.has(report.requestId)) reports.set(report.requestId, { report, at });
    const own = parseInvoked(line);
    if (own && !invoked.has(own.requestId)) invoked.set(own.requestId, own);
  }
  return [...reports.values()]
    .sort((a, b) => a.at - b.at)
    .map(({ report, at }) => {
      const own = invoked.get(report.requestId);
      const coldStart = own?.coldStart ?? report.initMs !== null;
      return { report, at, coldStart, ownInitMs: own?.ownInitMs ?? null };
    });
}

/**
 * @returns nothing while the function has not been invoked yet
 * @throws LabError COMMAND_FAILED for more than can be read
 */
export async function readLines(
  client: CloudWatchLogsClient,
  functionName: string,
  { since, signal }: { readonly since: number; readonly signal?: AbortSignal },
): Promise<FunctionLogLine[]> {
  const lines: FunctionLogLine[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const command = new FilterLogEventsCommand({
      logGroupName: `/aws/lambda/${functionName}`,
      startTime: since,
      nextToken,
    });
    const answer = await client
      .send(command, { ...(signal && { abortSignal: signal }) })
      .catch((error: unknown) => {
        if (error instanceof Error && error.name === "ResourceNotFoundException") return { events: [] };
        throw error;
      });
    for (const { timestamp = 0, message = "" } of answer.events ?? []) {
      lines.push({ at: timestamp, line: message.trimEnd() });
    }
    nextToken = "nextToken" in answer ? answer.nextToken : undefined;
    if (nextToken === undefined) return lines;
  }
  throw new LabError("COMMAND_FAILED", `The logs of ${functionName} are too long to be read.`, {
    remedy: "Look at a shorter time.",
  });
}
