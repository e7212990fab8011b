/** Starting: images, variables, ports, `docker compose up`, and waiting until every part is healthy. */
import { LabError, messageOf } from "../../cli/lab-error.ts";
import type { Engine } from "../../docker/engine.ts";
import { postgresPassword } from "../../engines/secrets.ts";
import type { BackingServer } from "../../images/catalogue.ts";
import { type ResolvedImage, resolveImages } from "../../images/resolve-images.ts";
import type { LabPaths } from "../../paths.ts";
import type { Profile, Settings } from "../../settings.ts";
import { assertPortsFree } from "../../util/ports.ts";
import type { UpOptions } from "../runtime.ts";
import type { ComposeProject } from "./compose-project.ts";
import { type LabContainer, listContainers } from "./containers.ts";
import { engineGone, isEngineGone } from "./failures.ts";
import { type WaitOptions, waitHealthy } from "./health.ts";
import type { ComposePart } from "./parts.ts";
import {
  type ComposeState,
  readComposeState,
  rememberVolumes,
  removeComposeState,
  writeComposeState,
} from "./state.ts";
import { removeContainers, takeDown } from "./take-down.ts";
import { composeVariables, cpusOf, writeEnvironmentFile } from "./variables.ts";

export interface LaunchParts {
  readonly engine: Engine;
  readonly settings: Settings;
  readonly paths: LabPaths;
  readonly project: ComposeProject;
  readonly providing?: Providing | undefined;
}

/** What one part waits for that is no part itself. */
export interface Providing {
  /** For people. */
  readonly what: string;
  /** The part that cannot become healthy without it. */
  readonly awaitedBy: string;
  /** Called once all the other parts are healthy. */
  provide(signal: AbortSignal): Promise<void>;
}

const healthyTimeout = 180_000;

/**
 * Also for a lab that runs: what is missing, has ended, is frozen or has changed is made and started, the rest is left alone.
 * @throws LabError; what was not there before is removed again then
 */
export async function launch(parts: LaunchParts, options: UpOptions): Promise<void> {
  const { engine, settings, paths, project } = parts;
  const { profiles, signal } = options;
  const { client } = engine;
  const { variables, images } = await resolveImages({
    engine,
    settings,
    servers: serversFor(profiles, settings),
    systems: profiles,
    signal,
    onEvent: options.onEvent,
  });
  const cpus = cpusOf((await client.info()) as { NCPU?: number });
  const filledIn = { images: variables, postgresPassword: postgresPassword(paths.secrets), cpus };
  writeEnvironmentFile(paths.composeEnvironment, composeVariables(settings, filledIn));
  const planned = await project.parts(profiles);
  const before = await listContainers(client, settings.composeProject);
  await assertPortsFree(portsToTake(planned, before));
  const former = readComposeState(paths);
  // Without its mark, what there is was left behind by a command that was killed.
  const ran =
    former?.phase === "running" && before.some(({ inspected }) => inspected.State.Running)
      ? former
      : undefined;
  const state: ComposeState = {
    phase: ran ? "running" : "starting",
    project: settings.composeProject,
    profiles: [...profiles],
    since: ran?.since ?? new Date().toISOString(),
    parts: planned.map(({ name, kind, port, url }) => ({ name, kind, port, url })),
    images: imagesByPart(planned, Object.values(images)),
  };
  // Written before there is anything, so that whatever happens `down` knows of it.
  rememberVolumes(paths, settings.composeProject);
  writeComposeState(paths, state);
  try {
    await thaw(before);
    await bringUp(parts, planned, before, options);
  } catch (error) {
    throw await undo(parts, ran && { containers: before, state: ran }, error);
  }
  writeComposeState(paths, { ...state, phase: "running" });
}

async function bringUp(
  { engine: { client }, settings, paths, project, providing }: LaunchParts,
  planned: readonly ComposePart[],
  before: readonly LabContainer[],
  { profiles, signal, onEvent }: UpOptions,
): Promise<void> {
  const began = performance.now();
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const lives = new Set(before.filter(({ state }) => state === "running").map(lifeOf));
  const wait = {
    client,
    project: settings.composeProject,
    parts: planned.map(({ name }) => name),
    before,
    signal: both,
    timeout: healthyTimeout,
    onHealthy(container: LabContainer) {
      if (lives.has(lifeOf(container))) return;
      lives.add(lifeOf(container));
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      const url = planned.find(({ name }) => name === container.name)?.url;
      const where = url ? ` at ${url}` : "";
      const why = isReplaced(container, before) ? "; replaced, as its image or settings have changed" : "";
      onEvent({
        kind: "done",
        text: `${container.name} answers${where} (${seconds} s)${why}`,
        part: container.name,
      });
    },
  };
  const healthy = waitHealthy(wait);
  const composed = project.up(profiles, [], both);
  const provided = provideOnce(providing, wait, onEvent);
  try {
    // Whichever fails first says most about why.
    await Promise.all([composed, healthy, provided]);
    // What Compose has replaced was healthy before, and has to become so again.
    await waitHealthy(wait);
    for (const container of noLongerPlanned(before, planned)) {
      const { name, handle } = container;
      // `--remove-orphans` leaves it when profiles are named. In order: what it has in hand is finished or handed back.
      await handle.stop().catch(() => {});
      await removeContainers([container], paths.logs);
      onEvent({ kind: "warn", text: `${name} is removed: with these settings nothing needs it`, part: name });
    }
  } catch (error) {
    over.abort(error);
    await Promise.allSettled([composed, healthy, provided]);
    signal.throwIfAborted();
    throw isEngineGone(error) ? engineGone(error) : error;
  }
}

/** Provides what one part waits for, as soon as the others are healthy. */
async function provideOnce(
  providing: Providing | undefined,
  wait: WaitOptions,
  onEvent: UpOptions["onEvent"],
): Promise<void> {
  if (providing === undefined) return;
  const { what, awaitedBy, provide } = providing;
  const others = wait.parts.filter((name) => name !== awaitedBy);
  await waitHealthy({ ...wait, parts: others, onHealthy: () => {} });
  onEvent({ kind: "begin", text: what });
  await provide(wait.signal);
}

/**
 * Removes what was made. A lab that ran before is its owner's to look at, one that never ran is of no use to anybody.
 * @param before what there was of a lab that ran before
 * @returns the error to throw: why the start failed, with a word about what could not be removed
 */
async function undo(
  { engine: { client }, settings, paths }: LaunchParts,
  before: { readonly containers: readonly LabContainer[]; readonly state: ComposeState } | undefined,
  error: unknown,
): Promise<unknown> {
  try {
    if (before !== undefined) {
      const present = await listContainers(client, settings.composeProject);
      writeComposeState(paths, before.state);
      const known = new Set(before.containers.map(({ name }) => name));
      await removeContainers(
        present.filter(({ name }) => !known.has(name)),
        paths.logs,
      );
    } else {
      await takeDown(client, settings.composeProject, { logs: paths.logs, interrupted: true });
      removeComposeState(paths);
    }
    return error;
  } catch (left) {
    if (!(error instanceof LabError)) return error;
    const detail = [
      ...error.detail,
      `What was started is still there (${messageOf(left)}): "make down" removes it.`,
    ];
    const { reason, remedy, cause } = error;
    return new LabError(error.code, error.message, { reason, remedy, detail, cause });
  }
}

/** A part that an experiment has frozen cannot become healthy. */
async function thaw(containers: readonly LabContainer[]): Promise<void> {
  for (const { handle, inspected } of containers) if (inspected.State.Paused) await handle.unpause();
}

/** Those that the lab's own containers do not hold already. */
function portsToTake(planned: readonly ComposePart[], containers: readonly LabContainer[]) {
  const held = new Set(containers.filter(({ inspected }) => inspected.State.Running).map(({ port }) => port));
  return planned.flatMap(({ name, port, portVariable }) =>
    port === null || held.has(port) ? [] : [{ part: name, port, variable: portVariable }],
  );
}

function imagesByPart(planned: readonly ComposePart[], images: readonly ResolvedImage[]) {
  const unknown = (reference: string) => ({ reference, id: "", digest: null });
  return Object.fromEntries(
    planned.map(({ name, image }) => [
      name,
      images.find(({ reference }) => reference === image) ?? unknown(image),
    ]),
  );
}

/** A container that was started again lives another life. */
function lifeOf({ inspected }: LabContainer): string {
  return `${inspected.Id} ${inspected.State.StartedAt}`;
}

/** What ran before, and was taken away by Compose for a container made anew. */
function isReplaced({ name, inspected }: LabContainer, before: readonly LabContainer[]): boolean {
  const former = before.find((container) => container.name === name)?.inspected;
  return former?.State.Running === true && former.Id !== inspected.Id;
}

function noLongerPlanned(before: readonly LabContainer[], planned: readonly ComposePart[]): LabContainer[] {
  return before.filter(
    ({ name, inspected }) => inspected.State.Running && !planned.some((part) => part.name === name),
  );
}

/** What the compose files run beside the services of these systems. */
export function serversFor(
  systems: readonly Profile[],
  { emulator, broker, bidding }: Pick<Settings, "emulator" | "broker" | "bidding">,
): BackingServer[] {
  const servers: BackingServer[] = ["postgres", "redis"];
  if (systems.includes("orders") && broker === "sns-sqs") servers.push(emulator);
  if (systems.includes("bidding")) servers.push("nats");
  if (systems.includes("bidding") && bidding.gateways > 1) servers.push("haproxy");
  return servers;
}
