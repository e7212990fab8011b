/** The engines of the process runtime: real servers without containers. */
import { hasApt } from "../engines/apt-package.ts";
import { findNats } from "../engines/nats.ts";
import { packagedBinaries } from "../engines/postgres-home.ts";
import { findRedis } from "../engines/redis.ts";
import { labPaths } from "../paths.ts";
import { findProgram } from "../util/run-command.ts";
import type { Examination } from "./examination.ts";
import { type Finding, failed } from "./finding.ts";

const needed_by = "process" as const;

export async function checkPostgres(): Promise<Finding[]> {
  try {
    const { postgres } = await packagedBinaries();
    return [{ check: "postgres", state: "ok", found: postgres, needed_by }];
  } catch (error) {
    return [{ ...failed("postgres", error), needed_by }];
  }
}

export async function checkRedis({ settings, path }: Examination): Promise<Finding[]> {
  const redis = await findRedis(labPaths(settings.labDir), path);
  if (redis !== undefined) return [isThere("redis", redis)];
  return [missing("redis", "redis-server or valkey-server", hasApt(path) ? "downloads" : undefined)];
}

export async function checkNats({ settings, path }: Examination): Promise<Finding[]> {
  const nats = await findNats(labPaths(settings.labDir), path);
  if (nats !== undefined) return [isThere("nats", nats)];
  if (!settings.profiles.includes("bidding")) {
    const found = `not installed; not needed with PROFILE=${settings.profiles.join(",")}`;
    return [{ check: "nats", state: "ok", found, needed_by }];
  }
  const has = hasApt(path) ? "downloads" : findProgram("go", path) ? "builds" : undefined;
  return [missing("nats", "nats-server", has)];
}

function isThere(check: string, { version, program }: { version: string; program: string }): Finding {
  return { check, state: "ok", found: `${version} (${program})`, needed_by };
}

/** @param start what the first start does about it, if it can do anything */
function missing(check: string, program: string, start: "downloads" | "builds" | undefined): Finding {
  if (start === undefined) {
    return { check, state: "fail", found: "not installed", fix: `Install ${program}.`, needed_by };
  }
  const place = start === "downloads" ? "into the lab's own directory" : "with Go";
  const found = `not installed; the first start ${start} it ${place}`;
  const fix = `Nothing, or install ${program} to save the ${start === "downloads" ? "download" : "20 s"}.`;
  return { check, state: "warn", found, fix, needed_by };
}
