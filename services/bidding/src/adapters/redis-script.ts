/** A Lua script beside this file, run by its digest; its text is sent only where Redis does not have it. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Redis, ReplyError } from "ioredis";
import { asOutage, requireReady } from "./redis-connection.ts";

export type Script = (
  redis: Redis,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<readonly string[]>;

/**
 * Reads the script.
 * @returns what runs it, and yields its answer's parts. Throws as `asOutage` says.
 */
export function loadScript(name: "bid" | "create" | "close"): Script {
  const text = readFileSync(new URL(`./${name}.lua`, import.meta.url), "utf8");
  const digest = createHash("sha1").update(text).digest("hex");

  return async (redis, keys, args) => {
    requireReady(redis);
    try {
      return split(await redis.evalsha(digest, keys.length, ...keys, ...args));
    } catch (error) {
      if (!isNoScript(error)) throw asOutage(error);
    }
    // It has been restarted or flushed, and has done nothing.
    try {
      return split(await redis.eval(text, keys.length, ...keys, ...args));
    } catch (error) {
      throw asOutage(error);
    }
  };
}

function isNoScript(error: unknown): boolean {
  return error instanceof ReplyError && (error as Error).message.startsWith("NOSCRIPT");
}

/** A list, or a line with commas, which is cheaper to make and to read. */
function split(answer: unknown): readonly string[] {
  return Array.isArray(answer) ? answer.map(String) : String(answer).split(",");
}
