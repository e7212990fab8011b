/** The images that are on the engine, and getting one from a registry. */
import type Docker from "dockerode";
import { LabError } from "../cli/lab-error.ts";
import type { Engine } from "../docker/engine.ts";
import { type PullOutcome, pullImage } from "./pull-image.ts";

export interface LocalImage {
  readonly reference: string;
  /** Of its configuration, such as sha256:… */
  readonly id: string;
  /** Of its manifest in the registry it came from; null for images that were built or loaded here. */
  readonly digest: string | null;
  /** Bytes, all layers. */
  readonly size: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The content of each layer, as sha256:…, the lowest first. */
  readonly layers: readonly string[];
}

/** Where images come from; tests have one without an engine. */
export interface ImageSource {
  find(reference: string): Promise<LocalImage | undefined>;
  pull(reference: string, signal: AbortSignal): Promise<PullOutcome>;
}

const INSPECT_MS = 10_000;

export function engineImages({ client }: Pick<Engine, "client">): ImageSource {
  return {
    find: (reference) => findImage(client, reference),
    pull: (reference, signal) => pullImage(reference, { signal }),
  };
}

/** An image by its reference, or undefined when the engine does not have it. */
export async function findImage(client: Docker, reference: string): Promise<LocalImage | undefined> {
  try {
    const found = await within(INSPECT_MS, client.getImage(reference).inspect());
    const digest = found.RepoDigests?.[0]?.split("@")[1] ?? null;
    const labels = found.Config?.Labels ?? {};
    return { reference, id: found.Id, digest, size: found.Size, labels, layers: found.RootFS?.Layers ?? [] };
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

/**
 * True for an image that was built on that one. Layers tell it, wherever either came from: ids do not, engines with
 * another store of images give others.
 */
export function standsOn(image: LocalImage, base: LocalImage): boolean {
  return base.layers.every((layer, index) => image.layers[index] === layer);
}

/** dockerode cannot abort this request; an engine that hangs must not hang its caller. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new LabError("COMMAND_FAILED", "The Docker engine does not answer.", {
          reason: `It was asked for an image ${milliseconds / 1_000} s ago.`,
          remedy: "Look at the engine's log, or start it again.",
        }),
      );
    }, milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
