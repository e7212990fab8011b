/** Room where the engine keeps images and volumes, as far as that can be seen from here. */
import { statfs } from "node:fs/promises";
import { engineInfo, isHere } from "./engine.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";
import { gibibyte } from "./room.ts";

/** The images take about 2.5 GiB; building them from packages some more for a while. */
const enough = 4;
const least = 1;

export async function checkEngineDisk({ engine }: Examination): Promise<Finding[]> {
  if (!engine.usable) return [];
  const check = "engine disk";
  const info = await engineInfo(engine.engine);
  const directory = info.DockerRootDir;
  if (directory === undefined || !isHere(engine.engine, info)) {
    return [
      { check, state: "ok", found: "in the engine's own machine; not seen from here", needed_by: "compose" },
    ];
  }
  const { bavail, bsize } = await statfs(directory);
  const free = (bavail * bsize) / gibibyte;
  return [
    {
      check,
      state: free < least ? "fail" : free < enough ? "warn" : "ok",
      found: `${free.toFixed(1)} GiB free in ${directory}`,
      ...(free < enough && {
        fix: `Free ${enough} GiB ("docker system df" shows what takes room, "docker builder prune" frees what builds left).`,
      }),
      needed_by: "compose",
    },
  ];
}
