/** Bundles as runs that can be compared; what cannot be is named, with its reason, and left out. */

import {
  findBundles,
  isSkipped,
  type ReadBundle,
  readBundle,
  type SkippedBundle,
  unfitReason,
} from "../experiments/read-bundle.ts";
import type { ComparableRun } from "./compare-sets.ts";

export interface LoadedRuns {
  readonly runs: readonly ComparableRun[];
  /** What the runs' experiments say that a comparison is decided by; each once. */
  readonly primaryMetrics: readonly string[];
  readonly skipped: readonly SkippedBundle[];
}

/** @param paths of bundles, or of directories somewhere above bundles */
export async function loadRuns(paths: readonly string[]): Promise<LoadedRuns> {
  const found = new Set((await Promise.all(paths.map(findBundles))).flat());
  const runs: ComparableRun[] = [];
  const primaryMetrics = new Set<string>();
  const skipped: SkippedBundle[] = [];
  // One after the other: each is read whole for its digests.
  for (const directory of found) {
    const bundle = await readBundle(directory);
    if (isSkipped(bundle)) {
      skipped.push(bundle);
      continue;
    }
    const reason = unfitReason(bundle);
    if (reason === undefined) {
      runs.push(comparable(bundle));
      primaryMetrics.add(bundle.run.experiment.primary_metric);
    } else {
      skipped.push({ directory, reason });
    }
  }
  return { runs, primaryMetrics: [...primaryMetrics], skipped };
}

function comparable({ directory, run, metrics }: ReadBundle): ComparableRun {
  const { experiment, machine, versions, tools } = run;
  return {
    directory,
    metrics,
    about: {
      experiment: `${experiment.system}/${experiment.name}`,
      environment: run.environment,
      runtime: run.runtime,
      commit: `${run.commit?.slice(0, 12) ?? "none"}${run.dirty ? " (changed)" : ""}`,
      machine: `${machine.cpu_model}, ${machine.cpus} processors, ${machine.memory_mb} MB, ${machine.os}`,
      faults:
        run.faults.map(({ action, part, atSeconds }) => `${action}:${part}@${atSeconds}s`).join(" ") ||
        "none",
      node: tools.node,
      k6: tools.k6,
      ...prefixed("version of ", versions),
      ...prefixed("parameter ", experiment.parameters),
      ...Object.fromEntries(
        Object.entries(experiment.services).flatMap(([part, variables]) =>
          Object.entries(variables).map(([name, value]) => [`${part}.${name}`, value]),
        ),
      ),
    },
  };
}

function prefixed(prefix: string, values: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, String(value)]));
}
