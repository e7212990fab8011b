/** The archiver's HTTP side: health and metrics, nothing to ask of it. */

import { createApp, defineApi, type Logger, type Metrics, type ReadinessCheck } from "@parallax/service";
import { aboutPart } from "../domain/about.ts";

export interface ArchiverAppParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly readiness: readonly ReadinessCheck[];
}

export function createArchiverApp(parts: ArchiverAppParts) {
  const api = defineApi(aboutPart("archiver", "Writes what happens to auctions into the archive."), []);
  return createApp({ ...parts, router: api.router, document: api.document });
}
