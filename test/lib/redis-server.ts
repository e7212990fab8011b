/** A Redis of the suite's own, run with the lab's options. */

import { prepareRedis } from "../../lab/src/engines/redis.ts";
import { type EngineServer, engineServer } from "./engine-server.ts";

export type RedisServer = EngineServer;

/** @param options of redis-server, beside the lab's, such as `["--appendfsync", "always"]` */
export function redisServer(options: readonly string[] = []): Promise<RedisServer> {
  return engineServer(prepareRedis, options);
}
