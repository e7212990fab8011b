/** A queue's forecast for people: the three models side by side. */
import type { Output } from "../cli/output.ts";
import type { QueueFigures } from "../models/queue.ts";
import type { QueueForecast } from "../models/queue-forecast.ts";

export function printQueue(forecast: QueueForecast, output: Output): void {
  const { parameters, fluid, even, random, steadyState, workersNeeded } = forecast;
  const { arrivalsPerSecond, arrivalSeconds, serviceSeconds, workers, drainCapSeconds } = parameters;
  output.line(
    `${arrivalsPerSecond} orders a second for ${arrivalSeconds} s, ${serviceSeconds} s each, ${workers} workers` +
      (forecast.effectiveWorkers < workers
        ? `, of which the provider's lines let ${forecast.effectiveWorkers} work`
        : ""),
  );
  output.line(
    `They can do ${told(forecast.capacityPerSecond)} a second: an offered load of ${percent(forecast.offeredLoad)}`,
  );
  output.line();
  const row = (name: string, figure: (figures: QueueFigures) => string) => [
    name,
    figure(fluid),
    figure(even),
    random === undefined ? "too many to try" : figure(random),
  ];
  output.table([
    [
      "",
      "published formula",
      "even arrivals",
      `random arrivals${random ? `, median of ${random.runs}` : ""}`,
    ],
    row("peak depth (waiting + in flight)", ({ peakDepth }) => told(peakDepth)),
    // The formula does not tell one from the other.
    ["peak waiting", "", told(even.peakWaiting), random === undefined ? "" : told(random.peakWaiting)],
    row("drain after the last arrivals", ({ drainSeconds }) => seconds(drainSeconds)),
    ...(drainCapSeconds === undefined
      ? []
      : [row(`left ${drainCapSeconds} s after them`, ({ leftAtCap }) => told(leftAtCap ?? 0))]),
    row("mean wait of an order", ({ meanWaitSeconds }) => seconds(meanWaitSeconds)),
    row("longest wait", ({ maxWaitSeconds }) => seconds(maxWaitSeconds)),
    row("done a second", ({ processedPerSecond }) => told(processedPerSecond)),
    row("workers in use", ({ utilisation }) => percent(utilisation)),
  ]);
  output.line();
  if (steadyState !== undefined) {
    output.line(
      `If orders came like this for ever, at random: ${percent(steadyState.waitProbability)} of them would wait, ` +
        `${seconds(steadyState.meanWaitFixed)} on average over all (Erlang C, Allen–Cunneen)`,
    );
  }
  for (const [what, { workers: needed, reason }] of Object.entries(workersNeeded)) {
    output.line(
      `Workers needed ${what}: ${needed === undefined ? `no number is enough, ${reason}` : needed}`,
    );
  }
}

/** Three digits at least, no more decimals than help. */
function told(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

function seconds(value: number): string {
  if (value < 0.1 && value > 0) return `${told(value * 1000)} ms`;
  if (value < 600) return `${told(value)} s`;
  if (value < 7200) return `${told(value)} s (${told(value / 60)} min)`;
  return `${told(value)} s (${told(value / 3600)} h)`;
}

function percent(value: number): string {
  return `${told(value * 100)} %`;
}
