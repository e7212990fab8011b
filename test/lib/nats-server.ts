/** A NATS of the suite's own with JetStream, run with the lab's options. */

import { prepareNats } from "../../lab/src/engines/nats.ts";
import { type EngineServer, engineServer } from "./engine-server.ts";

export type NatsServer = EngineServer;

/** @param options of nats-server, beside the lab's */
export function natsServer(options: readonly string[] = []): Promise<NatsServer> {
  return engineServer(prepareNats, options);
}
