/** For commands that need a running lab: they start one when there is none, and an interruption takes that one down. */
import { type CliContext, openRuntime, type SettingOptions } from "../cli/context.ts";
import { findK6 } from "../engines/k6.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { Profile, Settings } from "../settings.ts";
import { lacksSystem } from "../systems/lacks-system.ts";
import { ordersWiring } from "../systems/orders/order-queue.ts";
import { takeDown } from "./down.ts";
import { systemsFor, systemsRunning } from "./systems-for.ts";
import { bringUp, reset } from "./up.ts";

export interface RunningLab {
  readonly runtime: Runtime;
  readonly settings: Settings;
  /** Those that the command means; the lab may run others, too. */
  readonly systems: readonly Profile[];
}

export interface LabNeeds {
  /** Systems that it must have. */
  readonly systems?: readonly string[];
  /** Told which systems are meant, before anything is started; may refuse them. */
  check?(systems: readonly Profile[]): Promise<void>;
}

/**
 * Runs `work` on a healthy lab. A lab that was running before goes on running whatever happens; one that was started for
 * this goes on after `work`, and is stopped again when Ctrl-C interrupts.
 */
export async function withLab(
  context: CliContext,
  flags: SettingOptions,
  work: (lab: RunningLab) => Promise<void>,
  needs: LabNeeds = {},
): Promise<void> {
  const { runtime, settings, because } = await openRuntime(context, flags);
  // A K6 that names nothing is told before anything is started.
  await findK6(settings);
  const before = await runtime.status();
  const ranBefore = !["stopped", "failed"].includes(before.state);
  const running = systemsRunning(before);
  const lacking = needs.systems?.find((name) => !running.some((each) => each === name));
  // Containers are added to those that run; processes are not.
  if (lacking !== undefined && before.state === "running" && runtime.name === "process")
    throw lacksSystem(lacking);
  const wanted = systemsFor(settings, running, needs.systems);
  const ready = before.state === "running" && wanted.every((name) => running.includes(name));
  await needs.check?.(wanted);
  // A healthy lab is used as it is: starting it could replace what has changed since, and what is queued with it.
  if (ready) {
    await reset({ runtime, settings }, before, context);
    if (running.includes("orders")) await tellOtherBroker(runtime, settings, context);
  } else await bringUp({ runtime, settings: { ...settings, profiles: wanted }, because }, context);
  try {
    await work({ runtime, settings, systems: wanted });
  } finally {
    if (context.signal.aborted && !ranBefore) await takeDown({ runtime }, context);
  }
}

/** Settings that have changed since the lab was started show in nothing else that is printed. */
async function tellOtherBroker(runtime: Runtime, settings: Settings, { output }: CliContext): Promise<void> {
  const { broker, consumer } = await ordersWiring(runtime);
  if (broker === settings.broker && consumer === settings.consumer) return;
  output.warn(
    `The lab runs with BROKER=${broker} CONSUMER=${consumer}; to change that, run "make down" and "make up"`,
  );
}
