/** The engines of the process runtime: real servers without containers. */
import { hasApt } from "../engines/apt-package.ts";
import { packagedBinaries } from "../engines/postgres-home.ts";
import { findRedis } from "../engines/redis.ts";
import { labPaths } from "../paths.ts";
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
  const check = "redis";
  const redis = await findRedis(labPaths(settings.labDir), path);
  if (redis !== undefined) {
    return [{ check, state: "ok", found: `${redis.version} (${redis.program})`, needed_by }];
  }
  if (hasApt(path)) {
    const found = "not installed; the first start downloads it into the lab's own directory";
    return [
      {
        check,
        state: "warn",
        found,
        fix: "Nothing, or install redis-server to save the download.",
        needed_by,
      },
    ];
  }
  return [
    {
      check,
      state: "fail",
      found: "not installed",
      fix: "Install redis-server or valkey-server.",
      needed_by,
    },
  ];
}
