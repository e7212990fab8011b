/** The processor's HTTP side: health and metrics, nothing to ask of it. */

import type { Broker } from "@parallax/messaging";
import { createApp, defineApi, type Logger, type Metrics, type Tracing } from "@parallax/service";
import { aboutPart } from "../domain/about.ts";
import type { OrderStore } from "../domain/ports.ts";

export interface ProcessorAppParts {
  readonly broker: Broker;
  readonly store: OrderStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracing?: Tracing | undefined;
}

export function createProcessorApp({ broker, store, logger, metrics, tracing }: ProcessorAppParts) {
  const api = defineApi(aboutPart("processor", "Takes orders from the queue and pays for them."), []);
  return createApp({
    logger,
    metrics,
    tracing,
    router: api.router,
    document: api.document,
    readiness: [
      { name: "broker", check: () => broker.check() },
      { name: "database", check: () => store.check() },
    ],
  });
}
