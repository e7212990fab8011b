/**
 * The other verdict: whether a run's figures may be used at all. An invalid run is not a slow run; its figures
 * say something about the generator, not about the system.
 */

export interface Performance {
  readonly outcome: "valid" | "INVALID";
  readonly reasons: readonly string[];
}

export interface LoadFigures {
  /** Iterations that found no virtual user free. */
  readonly droppedIterations: number;
  /** Iterations a second that were asked for; undefined in a closed model, which asks for none. */
  readonly targetRate?: number | undefined;
  readonly achievedRate: number;
  /** Mean share of the machine's processors that the generator took, 0 to 1; undefined where it is not known. */
  readonly generatorCpu?: number | undefined;
  /** k6's thresholds that were crossed. */
  readonly crossedThresholds: readonly string[];
}

const LEAST_OF_TARGET = 0.99;
const MOST_GENERATOR_CPU = 0.8;

export function judgePerformance(figures: LoadFigures): Performance {
  const reasons: string[] = [];
  if (figures.droppedIterations > 0) reasons.push(`${figures.droppedIterations} iterations were dropped`);
  if (figures.targetRate !== undefined && figures.achievedRate < figures.targetRate * LEAST_OF_TARGET) {
    const { achievedRate, targetRate } = figures;
    reasons.push(
      `${achievedRate.toFixed(1)} iterations/s were achieved of ${targetRate}/s asked for (99 % is the least)`,
    );
  }
  if (figures.generatorCpu !== undefined && figures.generatorCpu > MOST_GENERATOR_CPU) {
    reasons.push(`the load generator took ${Math.round(figures.generatorCpu * 100)} % of all processors`);
  }
  for (const threshold of figures.crossedThresholds) reasons.push(`threshold crossed: ${threshold}`);
  return { outcome: reasons.length === 0 ? "valid" : "INVALID", reasons };
}
