/** What only the BullMQ adapter does, on a Redis that needs no container. */

import t from "tap";
import { redisServer } from "../../../../test/lib/redis-server.ts";
import { bullmqContract } from "../contract/bullmq-contract.ts";

// What it acknowledges is on disk; the lab's own setting may lose the last moments when the disk is busy.
const redis = await redisServer(["--appendfsync", "always"]);
t.teardown(() => redis[Symbol.asyncDispose]());

bullmqContract(t, redis);
