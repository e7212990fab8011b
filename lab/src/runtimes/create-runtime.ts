/** From settings to the runtime they name. */
import type { Settings } from "../settings.ts";
import { embeddedSource } from "./process/embedded-source.ts";
import { ProcessRuntime } from "./process/process-runtime.ts";
import type { Runtime } from "./runtime.ts";

export function createRuntime(settings: Settings): Runtime {
  switch (settings.runtime) {
    case "auto":
    case "compose":
    case "process":
      return new ProcessRuntime({ labDir: settings.labDir, source: embeddedSource(settings) });
  }
}
