/**
 * The way of ended spans to the collector: batches, at most `MOST_WAITING` spans waiting for theirs, and a count of what
 * became of each. A collector that is away or hangs costs spans, never a request: beyond the limit they are dropped.
 */

import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";

const MOST_WAITING = 4096;
const BATCH = 512;
const EVERY_MS = 1000;

type Fate = "exported" | "failed" | "dropped";

export class SpanExport implements SpanProcessor {
  readonly #batches: BatchSpanProcessor;
  readonly #exporter: SpanExporter;
  readonly #logger: Logger;
  readonly #counts: Record<Fate, number> = { exported: 0, failed: 0, dropped: 0 };
  #onFate: ((fate: Fate, spans: number) => void) | undefined;
  #waiting = 0;
  #away = false;

  constructor(exporter: SpanExporter, timeoutMs: number, logger: Logger) {
    this.#exporter = exporter;
    this.#logger = logger;
    this.#batches = new BatchSpanProcessor({
      exporter: {
        export: (spans, done) => this.#export(spans, done),
        forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
        shutdown: () => exporter.shutdown(),
      },
      maxQueueSize: MOST_WAITING,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: EVERY_MS,
      // The exporter ends its own attempts in time; this is for one that does not.
      exportTimeoutMillis: timeoutMs + 1000,
    });
  }

  /** Spans that the collector has taken. */
  get exported(): number {
    return this.#counts.exported;
  }

  /** Spans that it has refused, or not taken in time. */
  get failed(): number {
    return this.#counts.failed;
  }

  /** Spans that were thrown away because too many waited. */
  get dropped(): number {
    return this.#counts.dropped;
  }

  /** Spans of which nothing has become yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Counts there, and what there was before at once. */
  countIn(metrics: Metrics): void {
    const counter = metrics.counter("trace_spans_total", "Ended spans, by what became of them.", ["fate"]);
    for (const [fate, spans] of Object.entries(this.#counts)) counter.inc({ fate: fate as Fate }, spans);
    this.#onFate = (fate, spans) => counter.inc({ fate }, spans);
    metrics.gauge("trace_spans_waiting", "Ended spans that wait for the collector.", () => this.#waiting);
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & 1) === 0) return;
    if (this.#waiting >= MOST_WAITING) {
      this.#count("dropped", 1);
      return;
    }
    this.#waiting += 1;
    this.#batches.onEnd(span);
  }

  async forceFlush(): Promise<void> {
    await this.#batches.forceFlush();
  }

  async shutdown(): Promise<void> {
    await this.#batches.shutdown();
  }

  #export(spans: ReadableSpan[], done: Parameters<SpanExporter["export"]>[1]): void {
    this.#exporter.export(spans, (result) => {
      this.#waiting -= spans.length;
      this.#count(result.code === 0 ? "exported" : "failed", spans.length);
      this.#tell(result.code !== 0, result.error);
      done(result);
    });
  }

  #count(fate: Fate, spans: number): void {
    this.#counts[fate] += spans;
    this.#onFate?.(fate, spans);
  }

  /** Once when it begins and once when it is over, however many exports fail. */
  #tell(away: boolean, error: Error | undefined): void {
    if (away === this.#away) return;
    this.#away = away;
    if (away) this.#logger.warn({ err: error }, "the collector takes no traces; they are lost until it does");
    else this.#logger.info("the collector takes traces again");
  }
}
