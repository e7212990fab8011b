/** The processor's HTTP side: health and metrics, nothing to ask of it. */

import type { Broker } from "@parallax/messaging";
import {
  createApp,
  type Logger,
  type Metrics,
  Router,
  type ServiceState,
  type Tracing,
} from "@parallax/service";
import type { OrderStore } from "../domain/ports.ts";

export interface ProcessorAppParts {
  readonly broker: Broker;
  readonly store: OrderStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracing?: Tracing | undefined;
}

export function createProcessorApp({ broker, store, logger, metrics, tracing }: ProcessorAppParts) {
  return createApp({
    logger,
    metrics,
    tracing,
    router: new Router<ServiceState>(),
    readiness: [
      { name: "broker", check: () => broker.check() },
      { name: "database", check: () => store.check() },
    ],
  });
}
