/** How many files, connections among them, a process of this user may have open at once. */

import { readFileSync } from "node:fs";

/**
 * The hard limit, to which k6, Node and HAProxy raise their own; undefined where the system does not tell.
 * @param limits as /proc/self/limits has them
 */
export function mostOpenFiles(limits: () => string = ownLimits): number | undefined {
  const [, hard] = /^Max open files\s+\S+\s+(\S+)/m.exec(limits()) ?? [];
  if (hard === undefined) return undefined;
  return hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}

/** Linux's alone. */
function ownLimits(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return "";
  }
}
