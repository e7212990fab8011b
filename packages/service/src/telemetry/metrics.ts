/** Prometheus metrics of one service; a registry of its own, so that two services can share a process in tests. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export interface Metrics {
  readonly registry: Registry;
  /** Seconds from the request's arrival to the end of its answer, by method, route and status. */
  readonly httpDuration: Histogram<"method" | "route" | "status">;
  counter(name: string, help: string): Counter;
  counter<L extends string>(name: string, help: string, labels: readonly L[]): Counter<L>;
  gauge(name: string, help: string, collect?: () => number): Gauge;
  histogram<L extends string = never>(
    name: string,
    help: string,
    options: { readonly buckets: number[]; readonly labels?: readonly L[] },
  ): Histogram<L>;
}

const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    httpDuration: new Histogram({
      name: "http_request_duration_seconds",
      help: "Time from a request's arrival to the end of its answer.",
      labelNames: ["method", "route", "status"],
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    counter: <L extends string>(name: string, help: string, labels: readonly L[] = []) =>
      new Counter<L>({ name, help, labelNames: labels, registers }),
    gauge: (name, help, collect) =>
      new Gauge({
        name,
        help,
        registers,
        ...(collect && {
          collect(this: Gauge) {
            this.set(collect());
          },
        }),
      }),
    histogram: (name, help, options) =>
      new Histogram({ name, help, registers, buckets: options.buckets, labelNames: options.labels ?? [] }),
  };
}
