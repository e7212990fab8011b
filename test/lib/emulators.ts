/** The emulators of the Compose lab as containers, to be stopped and started like the embedded one. */

import type { EmulatorUnderTest } from "../../packages/messaging/test/contract/brokers.ts";
import type { ContainerSuite, RunningContainer } from "./containers.ts";
import { labDefinition } from "./lab-definitions.ts";

export interface EmulatorContainer extends EmulatorUnderTest {
  readonly container: RunningContainer;
}

/** In memory: what is queued is gone when it stops. */
export async function localstack(suite: ContainerSuite): Promise<EmulatorContainer> {
  return underTest(await suite.run("emulator", await labDefinition("emulator", "localstack")));
}

/** Without its state on disk unless `persist` says so; it then keeps it when it is stopped in order. */
export async function ministack(
  suite: ContainerSuite,
  { persist = false }: { readonly persist?: boolean } = {},
): Promise<EmulatorContainer> {
  const definition = await labDefinition("emulator", "ministack");
  const environment = { PERSIST_STATE: persist ? "1" : "0" };
  return underTest(await suite.run("emulator", definition, { environment }));
}

function underTest(container: RunningContainer): EmulatorContainer {
  return {
    container,
    endpoint: `http://127.0.0.1:${container.port(4566)}`,
    // In memory, an orderly stop keeps no more than a kill, and takes longer.
    stop: () => container.kill(),
    start: () => container.start(),
  };
}
