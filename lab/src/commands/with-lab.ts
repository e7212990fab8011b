/** For commands that need a running lab: they start one when there is none, and an interruption takes that one down. */
import { type CliContext, openRuntime, type SettingOptions } from "../cli/context.ts";
import { findK6 } from "../engines/k6.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import { type Profile, profiles, type Settings } from "../settings.ts";
import { ordersWiring } from "../systems/orders/order-queue.ts";
import { takeDown } from "./down.ts";
import { bringUp, reset } from "./up.ts";

export interface RunningLab {
  readonly runtime: Runtime;
  readonly settings: Settings;
  /** Those that the lab runs. */
  readonly systems: readonly Profile[];
}

/**
 * Runs `work` on a healthy lab. A lab that was running before goes on running whatever happens; one that was started for
 * this goes on after `work`, and is stopped again when Ctrl-C interrupts.
 * @param needs systems that it must have; those of PROFILE, when nothing is said
 */
export async function withLab(
  context: CliContext,
  flags: SettingOptions,
  work: (lab: RunningLab) => Promise<void>,
  needs?: readonly string[],
): Promise<void> {
  const { runtime, settings, because } = await openRuntime(context, flags);
  // A K6 that names nothing is told before anything is started.
  await findK6(settings);
  const before = await runtime.status();
  const ranBefore = !["stopped", "failed"].includes(before.state);
  const running = profiles.filter((name) => before.profiles.includes(name));
  const wanted = systemsFor(settings, ranBefore ? running : [], needs);
  const ready = before.state === "running" && wanted.every((name) => running.includes(name));
  // A healthy lab is used as it is: starting it could replace what has changed since, and what is queued with it.
  if (ready) {
    await reset({ runtime, settings }, before, context);
    await tellOtherBroker({ runtime, settings, systems: running }, context);
  } else await bringUp({ runtime, settings: { ...settings, profiles: wanted }, because }, context);
  try {
    await work({ runtime, settings, systems: ready ? running : wanted });
  } finally {
    if (context.signal.aborted && !ranBefore) await takeDown({ runtime }, context);
  }
}

/** PROFILE=all, which is the default, means all of the lab that runs, or all that there is where none does. */
export function systemsFor(
  settings: Pick<Settings, "profiles">,
  running: readonly Profile[],
  needs: readonly string[] = [],
): readonly Profile[] {
  const all = settings.profiles.length === profiles.length;
  const base = all && running.length > 0 ? running : settings.profiles;
  return profiles.filter((name) => base.includes(name) || needs.includes(name));
}

/** Settings that have changed since the lab was started show in nothing else that is printed. */
async function tellOtherBroker(
  { runtime, settings, systems }: RunningLab,
  { output }: CliContext,
): Promise<void> {
  if (!systems.includes("orders")) return;
  const { broker, consumer } = await ordersWiring(runtime);
  if (broker === settings.broker && consumer === settings.consumer) return;
  output.warn(
    `The lab runs with BROKER=${broker} CONSUMER=${consumer}; to change that, run "make down" and "make up"`,
  );
}
