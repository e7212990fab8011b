/** From a runtime's name to the runtime. */
import type { RuntimeName, Settings } from "../settings.ts";
import { ComposeRuntime } from "./compose/compose-runtime.ts";
import { embeddedSource } from "./process/embedded-source.ts";
import { ProcessRuntime } from "./process/process-runtime.ts";
import type { Runtime } from "./runtime.ts";

export function createRuntime(settings: Settings, name: RuntimeName): Runtime {
  switch (name) {
    case "compose":
      return new ComposeRuntime(settings);
    case "process":
      return new ProcessRuntime({ labDir: settings.labDir, source: embeddedSource(settings) });
  }
}
