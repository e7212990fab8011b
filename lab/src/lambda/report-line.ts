/**
 * What CloudWatch Logs hold of an invocation: the REPORT line that Lambda writes at its end, as text or as JSON (the function's
 * log format), and the JSON lines of the function itself. Pure: a line in, what it tells out.
 *
 * - Duration: the handler's time. On AWS without the init.
 * - Init Duration: from the making of an execution environment until it was ready; on cold starts only, where it is told at all.
 */

import { z } from "zod";

export interface LambdaReport {
  readonly requestId: string;
  readonly durationMs: number;
  readonly billedMs: number;
  readonly memoryMb: number;
  readonly maxMemoryMb: number;
  /** Null on a warm start, and where the platform does not tell. */
  readonly initMs: number | null;
  /** `success` unless the line says otherwise: `timeout`, `error`, `failure`. */
  readonly status: string;
}

/** Undefined for any other line, and for a report with something missing. */
export function parseReport(line: string): LambdaReport | undefined {
  const text = line.trim();
  if (text.startsWith("{")) return parseJsonReport(text);
  if (!text.startsWith("REPORT ")) return undefined;
  const fields = new Map(
    text
      .slice("REPORT ".length)
      .split("\t")
      .map((field) => {
        const at = field.indexOf(":");
        return [field.slice(0, at).trim(), field.slice(at + 1).trim()] as const;
      }),
  );
  const requestId = fields.get("RequestId");
  const durationMs = amount(fields.get("Duration"), "ms");
  const billedMs = amount(fields.get("Billed Duration"), "ms");
  const memoryMb = amount(fields.get("Memory Size"), "MB");
  const maxMemoryMb = amount(fields.get("Max Memory Used"), "MB");
  const numbers = { durationMs, billedMs, memoryMb, maxMemoryMb };
  if (!requestId || !allKnown(numbers)) return undefined;
  const initMs = amount(fields.get("Init Duration"), "ms") ?? null;
  return { requestId, ...numbers, initMs, status: fields.get("Status") ?? "success" };
}

const jsonReport = z.object({
  type: z.literal("platform.report"),
  record: z.object({
    requestId: z.string(),
    status: z.string().default("success"),
    metrics: z.object({
      durationMs: z.number(),
      billedDurationMs: z.number(),
      memorySizeMB: z.number(),
      maxMemoryUsedMB: z.number(),
      initDurationMs: z.number().optional(),
    }),
  }),
});

function parseJsonReport(text: string): LambdaReport | undefined {
  const parsed = jsonReport.safeParse(jsonOrNothing(text));
  if (!parsed.success) return undefined;
  const { requestId, status, metrics } = parsed.data.record;
  return {
    requestId,
    status,
    durationMs: metrics.durationMs,
    billedMs: metrics.billedDurationMs,
    memoryMb: metrics.memorySizeMB,
    maxMemoryMb: metrics.maxMemoryUsedMB,
    initMs: metrics.initDurationMs ?? null,
  };
}

const invokedLine = z.object({
  msg: z.literal("invoked"),
  request_id: z.string(),
  cold_start: z.boolean(),
  init_ms: z.number().optional(),
});

export interface InvokedLine {
  readonly requestId: string;
  readonly coldStart: boolean;
  /** From its process's start until it was ready, as the function itself has measured; on cold starts only. */
  readonly ownInitMs: number | null;
}

/** What the orders function says of itself when it is invoked. Undefined for any other line. */
export function parseInvoked(line: string): InvokedLine | undefined {
  // The platform may put its own prefix before what is printed.
  const begin = line.indexOf("{");
  const parsed = invokedLine.safeParse(begin < 0 ? undefined : jsonOrNothing(line.slice(begin)));
  if (!parsed.success) return undefined;
  const { request_id, cold_start, init_ms } = parsed.data;
  return { requestId: request_id, coldStart: cold_start, ownInitMs: init_ms ?? null };
}

/** "3004.31 ms" with the unit "ms" is 3004.31. */
function amount(text: string | undefined, unit: string): number | undefined {
  const [number = "", given] = (text ?? "").split(" ");
  return given === unit && /^\d+(\.\d+)?$/.test(number) ? Number(number) : undefined;
}

function allKnown<K extends string>(values: Record<K, number | undefined>): values is Record<K, number> {
  return Object.values(values).every((value) => value !== undefined);
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
