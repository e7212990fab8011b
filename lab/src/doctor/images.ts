/** Which of the lab's images the engine has, and what `make up` would do about the others. */
import type Docker from "dockerode";
import { type BackingServer, backingImages } from "../images/catalogue.ts";
import type { Settings } from "../settings.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

const needed_by = "compose" as const;

export async function checkImages({ engine, settings }: Examination): Promise<Finding[]> {
  if (!engine.usable) return [];
  const { client } = engine.engine;
  const servers: BackingServer[] = [settings.emulator, "postgres", "redis", "nats"];
  return Promise.all([
    ...servers.map((server) => backingImage(client, server, settings)),
    ...settings.profiles.map((system) => servicesImage(client, system)),
  ]);
}

async function backingImage(client: Docker, server: BackingServer, settings: Settings): Promise<Finding> {
  const check = `image ${server}`;
  const { variable, official, packaged } = backingImages[server];
  const named = settings.images.backing[variable];
  if (named !== undefined) {
    if (await isThere(client, named)) {
      return { check, state: "ok", found: `${named}, as ${variable} says`, needed_by };
    }
    const fix = `make up pulls it; where that cannot be, unset ${variable}.`;
    return { check, state: "warn", found: `${named}, as ${variable} says, is not here`, fix, needed_by };
  }
  const [hasOfficial, hasPackaged] = await Promise.all([
    isThere(client, official),
    isThere(client, packaged),
  ]);
  if (hasOfficial) return { check, state: "ok", found: official, needed_by };
  if (hasPackaged) return { check, state: "ok", found: `${packaged}, built from packages`, needed_by };
  const fix =
    'make up pulls it; where no image registry can be reached, "make images" builds it from packages.';
  return { check, state: "warn", found: `${official} is not here`, fix, needed_by };
}

/** Built here whenever the sources have changed; any tag of it saves the most of that. */
async function servicesImage(client: Docker, system: string): Promise<Finding> {
  const check = `image ${system}`;
  const repository = `parallax/${system}`;
  const images = await client.listImages({ filters: { reference: [repository] } });
  const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []);
  if (tags.length > 0) return { check, state: "ok", found: tags.join(", "), needed_by };
  return {
    check,
    state: "warn",
    found: `${repository} is not here`,
    fix: "make up builds it, once.",
    needed_by,
  };
}

async function isThere(client: Docker, reference: string): Promise<boolean> {
  try {
    await client.getImage(reference).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}
