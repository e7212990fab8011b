/**
 * Which image stands for what: the one that the user named; else the official one if it is here; else the one built from
 * packages if it is here; else the official one, pulled. A registry that cannot be reached is asked once.
 */
import { LabError } from "../cli/lab-error.ts";
import type { LabEvent } from "../runtimes/runtime.ts";
import type { ImageSource, LocalImage } from "./local-images.ts";

export interface Wish {
  /** For whom, such as redis. */
  readonly name: string;
  /** The variable with which the user names another one. */
  readonly variable: string;
  readonly named: string | undefined;
  readonly official: string;
  readonly packaged: string;
}

export interface Missing {
  readonly wish: Wish;
  readonly reference: string;
  readonly reason: string;
}

export interface ChooseContext {
  readonly source: ImageSource;
  readonly signal: AbortSignal;
  readonly onEvent: (event: LabEvent) => void;
}

/** @returns the image of each wish by its name, and what could not be had */
export async function chooseImages(
  wishes: readonly Wish[],
  { source, signal, onEvent }: ChooseContext,
): Promise<{ chosen: Map<string, LocalImage>; missing: Missing[] }> {
  const chosen = new Map<string, LocalImage>();
  const missing: Missing[] = [];
  const here = await Promise.all(wishes.map((wish) => findLocal(wish, source)));
  const unreachable = new Set<string>();
  for (const [index, wish] of wishes.entries()) {
    const reference = wish.named ?? wish.official;
    const registry = registryOf(reference);
    let image = here[index];
    if (image === undefined && unreachable.has(registry)) {
      missing.push({ wish, reference, reason: `The registry ${registry} cannot be reached.` });
      continue;
    }
    if (image === undefined) {
      onEvent({ kind: "begin", text: `Pulling ${reference}` });
      const outcome = await source.pull(reference, signal);
      if (outcome.pulled) {
        image = await source.find(reference);
        onEvent({ kind: "done", text: `${reference} is pulled` });
      } else {
        missing.push({ wish, reference, reason: outcome.reason });
        if (outcome.unreachable) unreachable.add(registry);
        continue;
      }
    }
    if (image !== undefined) chosen.set(wish.name, image);
    else missing.push({ wish, reference, reason: "It was pulled, and is not there." });
  }
  return { chosen, missing };
}

/** The one that would be used without a registry. */
export async function findLocal(
  wish: Wish,
  source: Pick<ImageSource, "find">,
): Promise<LocalImage | undefined> {
  if (wish.named !== undefined) return source.find(wish.named);
  const [official, packaged] = await Promise.all([source.find(wish.official), source.find(wish.packaged)]);
  return official ?? packaged;
}

/** The host that an image is pulled from, as Docker reads references. */
export function registryOf(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : "docker.io";
}

/** Names every image that is missing, and how to get it. */
export function missingImages(missing: readonly Missing[]): LabError {
  const named = missing.filter(({ wish }) => wish.named !== undefined);
  const others = missing.length - named.length;
  const variables = named.map(({ wish }) => wish.variable).join(", ");
  const remedies = [
    others > 0
      ? '"make images" builds them from packages; "make images-load" takes those of another machine'
      : "",
    named.length > 0 ? `correct ${variables}, or unset it to use the default` : "",
  ];
  const remedy = remedies.filter((text) => text !== "").join("; ");
  return new LabError(
    "PREREQUISITE_MISSING",
    `Missing images: ${missing.map((one) => one.reference).join(", ")}.`,
    {
      reason: missing[0]?.reason,
      remedy: `${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}.`,
      detail: missing.map(({ wish, reference, reason }) => `${wish.name}: ${reference}: ${reason}`),
    },
  );
}
