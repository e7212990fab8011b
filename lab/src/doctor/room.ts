/** Disk under LAB_DIR, and memory for the runtime that would be used. */
import { existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { dirname } from "node:path";
import type { RuntimeName } from "../settings.ts";
import { engineInfo, isHere } from "./engine.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

export const gibibyte = 1024 ** 3;

/** Resident memory of the whole lab with a margin, in GiB: under Compose LocalStack alone takes half a one. */
const memoryNeeded: Readonly<Record<RuntimeName, number>> = { compose: 2, process: 1.2 };

export async function checkDisk({ settings }: Examination): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(existingAncestor(settings.labDir));
  const disk = (bavail * bsize) / gibibyte;
  return [
    {
      check: "disk",
      state: disk < 0.5 ? "fail" : disk < 2 ? "warn" : "ok",
      found: `${disk.toFixed(1)} GiB free for ${settings.labDir}`,
      ...(disk < 2 && { fix: "Free 2 GiB, or set LAB_DIR to a disk with more room." }),
    },
  ];
}

export async function checkMemory({ runtime, engine, status }: Examination): Promise<Finding[]> {
  const needed = memoryNeeded[runtime];
  // What the system would hand out, caches included, where it says so.
  const memory = availableMemory() / gibibyte;
  // A lab that runs has taken its share already.
  const short = memory < needed && status.state === "stopped";
  const findings: Finding[] = [
    {
      check: "memory",
      state: short ? "warn" : "ok",
      found: `${memory.toFixed(1)} of ${(totalmem() / gibibyte).toFixed(1)} GiB available`,
      ...(short && {
        fix: `The lab takes up to ${needed} GiB on the ${runtime} runtime; end other programs.`,
      }),
    },
  ];
  if (runtime !== "compose" || !engine.usable) return findings;
  const info = await engineInfo(engine.engine);
  if (info.MemTotal === undefined || isHere(engine.engine, info)) return findings;
  const total = info.MemTotal / gibibyte;
  findings.push({
    check: "engine memory",
    state: total < needed ? "warn" : "ok",
    found: `${total.toFixed(1)} GiB in the engine's own machine`,
    ...(total < needed && {
      fix: `Give it at least ${needed + 0.5} GiB (Docker Desktop: Settings, Resources).`,
    }),
    needed_by: "compose",
  });
  return findings;
}

function availableMemory(): number {
  try {
    const kilobytes = /^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
    return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
  } catch {
    return freemem();
  }
}

/** LAB_DIR itself is made at the first start only. */
function existingAncestor(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : existingAncestor(dirname(path));
}
