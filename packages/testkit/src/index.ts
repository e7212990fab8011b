/** Helpers that tests share. */

export { silentLogger } from "./logger.ts";
export {
  type CollectedSpan,
  type CollectorAnswer,
  startTraceCollector,
  type TraceCollector,
} from "./trace-collector.ts";
export { waitFor } from "./wait-for.ts";
export { type OpenApi, type WitnessedAnswers, witnessAnswers } from "./witness-answers.ts";
