/**
 * `run.json`, the file of a bundle that says what was run, where, on what and with what figures. Its form is checked on
 * reading: a bundle may be years old, or somebody else's.
 */

import { z } from "zod";

const latencySchema = z.object({
  mean: z.number(),
  p50: z.number(),
  p90: z.number(),
  p95: z.number(),
  p99: z.number(),
  p999: z.number(),
  max: z.number(),
});

const operationShape = {
  answers: z.number(),
  errors: z.number(),
  unanswered: z.number(),
  /** Not told by earlier versions. */
  timed_out: z.number().optional(),
  latency_ms: latencySchema.nullable(),
};

const performanceSchema = z.object({ outcome: z.enum(["valid", "INVALID"]), reasons: z.array(z.string()) });

const arrivalsSchema = z.discriminatedUnion("model", [
  z.object({ model: z.literal("open"), rate: z.number() }),
  z.object({
    model: z.literal("closed"),
    users: z.number(),
    think_seconds: z.number(),
    spawn_per_second: z.number().optional(),
  }),
]);

const stepSchema = z.object({
  step: z.object({
    name: z.string(),
    kind: z.enum(["warm-up", "measured"]),
    arrivals: arrivalsSchema,
    seconds: z.number(),
    begins: z.number(),
    timeout_seconds: z.number().optional(),
  }),
  iterations: z.number(),
  dropped_iterations: z.number(),
  achieved_rate: z.number(),
  answered_rate: z.number(),
  ...operationShape,
  operations: z.record(z.string(), z.object(operationShape)),
  performance: performanceSchema,
});

const partSchema = z.object({
  cpu_s: z.number().nullable(),
  memory_mb_max: z.number().nullable(),
  network_rx_mb: z.number().nullable(),
  network_tx_mb: z.number().nullable(),
  throttled_s: z.number().nullable(),
});

const figuresSchema = z.object({
  steps: z.array(stepSchema),
  parts: z.record(z.string(), partSchema),
  generator: partSchema.extend({ cpu_share: z.number().nullable(), cpu_share_peak: z.number().nullable() }),
  highest: z.record(z.string(), z.number()),
  findings: z.record(z.string(), z.number()).optional(),
});

/** A line of the experiment's table. */
const besideSchema = z.object({
  of: z.string(),
  what: z.string(),
  unit: z.string(),
  measured: z.number().nullable(),
  how: z.string().optional(),
  model: z.number().optional(),
  published: z.number().nullable(),
  publishedBy: z.record(z.string(), z.number()).optional(),
  doubtful: z.array(z.string()).optional(),
  reason: z.string().optional(),
});

/** Where a run belongs that was one of several, made in turns. */
const setSchema = z.object({ id: z.string(), side: z.enum(["A", "B"]), round: z.int() });

export const runRecordSchema = z.object({
  format: z.literal(2),
  begun: z.iso.datetime(),
  ended: z.iso.datetime(),
  state: z.enum(["finished", "interrupted", "failed"]),
  error: z.string().optional(),
  environment: z.string(),
  experiment: z.object({
    system: z.string(),
    name: z.string(),
    script: z.string(),
    primary_metric: z.string(),
    parameters: z.record(z.string(), z.number()),
    services: z.record(z.string(), z.record(z.string(), z.string())),
  }),
  set: setSchema.nullable(),
  faults: z.array(z.object({ part: z.string(), action: z.string(), atSeconds: z.number() })),
  faults_done: z
    .array(z.object({ part: z.string(), action: z.string(), doneAtSeconds: z.number() }))
    .optional(),
  commit: z.string().nullable(),
  dirty: z.boolean().nullable(),
  runtime: z.string(),
  versions: z.record(z.string(), z.string()),
  tools: z.object({ node: z.string(), k6: z.string() }),
  machine: z.object({
    os: z.string(),
    arch: z.string(),
    cpus: z.number(),
    cpu_model: z.string(),
    memory_mb: z.number(),
  }),
  figures: figuresSchema.optional(),
  readings: z.array(z.string()).optional(),
  beside: z.array(besideSchema).optional(),
});

export type RunRecord = z.output<typeof runRecordSchema>;

const invariantSchema = z.object({
  name: z.string(),
  outcome: z.enum(["held", "broken", "undecided"]),
  detail: z.string(),
  counts: z.record(z.string(), z.number()),
  examples: z.array(z.string()).optional(),
});

/** `verdict.json`: both verdicts, kept apart. */
export const verdictRecordSchema = z.object({
  correctness: z.object({
    outcome: z.enum(["held", "broken", "undecided"]),
    invariants: z.array(invariantSchema),
    observations: z.array(
      z.object({ name: z.string(), detail: z.string(), counts: z.record(z.string(), z.number()) }),
    ),
  }),
  performance: performanceSchema,
  /** k6's thresholds that were crossed: what the script asks of the system, and was missed. */
  crossed_thresholds: z.array(z.string()),
});

export type VerdictRecord = z.output<typeof verdictRecordSchema>;
