/**
 * Orders, brokers: SNS and SQS beside BullMQ on Redis, the same services under the same load. What is measured on this machine is an
 * emulator of SNS and SQS beside a real Redis: it says what a lab costs on each, not what AWS would do.
 */

import type { Runtime } from "../../runtimes/runtime.ts";
import type { Beside } from "../beside.ts";
import type { Experiment, FinishedLoad, Observed, ParameterValues, ServiceSettings } from "../experiment.ts";
import type { RunFigures } from "../figures.ts";
import { endToEndFindings, readSentOrders } from "./end-to-end.ts";
import { needsBothBrokers } from "./needs.ts";
import { observeOrders, orderSamples } from "./observe-orders.ts";
import { OrdersApi } from "./orders-api.ts";

const TITLES: Readonly<Record<string, string>> = { "sns-sqs": "SNS and SQS", bullmq: "BullMQ" };

const by = (name: "sns-sqs" | "bullmq") => ({
  name: TITLES[name] ?? name,
  parameters: {},
  services: { "orders-receiver": { BROKER: name }, "orders-processor": { BROKER: name } },
});

export const brokers: Experiment = {
  system: "orders",
  name: "brokers",
  summary:
    "the same orders carried by SNS and SQS, then by BullMQ: how long until accepted, how long until done?",
  script: "orders/place-orders.ts",
  parameters: {
    rate: { value: 50, meaning: "orders a second", least: 1, most: 2000, whole: true },
    seconds: { value: 30, meaning: "seconds of load", least: 2, most: 600 },
  },
  rows: [by("sns-sqs"), by("bullmq")],
  target: "orders-receiver",
  assertUsable: needsBothBrokers,
  load: ({ rate = 0, seconds = 0 }) => [
    { name: "warm-up", kind: "warm-up", arrivals: { model: "open", rate }, seconds: 3 },
    { name: "load", kind: "measured", arrivals: { model: "open", rate }, seconds },
  ],
  // Payments that take no time: what is left is the way of the order.
  services: () => ({
    "orders-payments": { PAYMENT_SECONDS: "0", PAYMENT_CONCURRENCY: "0" },
    "orders-processor": { NUM_WORKERS: "20" },
  }),
  settleSeconds: 90,
  samples: orderSamples,
  primaryMetric: () => "end_to_end_p50_ms",
  beside,
  observe,
};

async function observe(runtime: Runtime): Promise<Observed> {
  const base = await observeOrders(runtime);
  const api = OrdersApi.of(runtime);
  return {
    ...base,
    async findings({ answersFile, signal }: FinishedLoad) {
      const sent = await readSentOrders(answersFile, "load");
      const found = await api.findOrders(sent.keys(), signal);
      return endToEndFindings(sent, found);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([base[Symbol.asyncDispose](), api[Symbol.asyncDispose]()]);
    },
  };
}

function beside(
  { steps, findings = {} }: RunFigures,
  _: ParameterValues,
  services: ServiceSettings,
): Beside[] {
  const broker = services["orders-receiver"]?.BROKER;
  const of = broker === undefined ? "the lab's own broker" : (TITLES[broker] ?? broker);
  const load = steps.find(({ step }) => step.name === "load");
  const line = (what: string, unit: string, measured: number | undefined): Beside => ({
    of,
    what,
    unit,
    measured: measured ?? null,
    published: null,
  });
  return [
    line("accepted, median", "ms", load?.latency_ms?.p50),
    line("accepted, 99th percentile", "ms", load?.latency_ms?.p99),
    line("sent to completed, median", "ms", findings.end_to_end_p50_ms),
    line("sent to completed, 99th percentile", "ms", findings.end_to_end_p99_ms),
    line("completed", "", findings.completed),
  ];
}
