/**
 * Whose a Compose project is. Two checkouts have the same project's name unless told otherwise; a label with LAB_DIR on
 * containers and volumes tells them apart, so that none stops the other's lab or removes its data.
 */
import type Docker from "dockerode";
import { LabError, messageOf } from "../../cli/lab-error.ts";
import { listContainers, ofProject } from "./containers.ts";

/** Its value is the LAB_DIR of the lab that made the thing; empty when the compose files were used by hand. */
const labLabel = "parallax.lab";

export interface Project {
  readonly name: string;
  readonly labDir: string;
}

/**
 * Removes the project's volumes that are this lab's.
 * @throws LabError LEFTOVERS when something still uses one
 */
export async function removeOwnVolumes(client: Docker, { name, labDir }: Project): Promise<void> {
  const volumes = await volumesOf(client, name);
  for (const { volume, lab } of volumes) if (isOwn(lab, labDir)) await removeVolume(client, volume);
}

/** @throws LabError OTHER_LAB_RUNNING when containers or volumes of the project are another lab's */
export async function assertOwn(client: Docker, { name, labDir }: Project): Promise<void> {
  const other = (await listContainers(client, name)).find(({ lab }) => !isOwn(lab, labDir));
  if (other !== undefined) {
    throw new LabError("OTHER_LAB_RUNNING", `The Compose project "${name}" belongs to another lab.`, {
      reason: `Its containers were started for ${other.lab}; this lab is ${labDir}.`,
      remedy: `Stop that one there with "make down" ("docker compose -p ${name} down" where that directory is gone), or give this one another COMPOSE_PROJECT_NAME and ports of its own (.env.example).`,
    });
  }
  const foreign = (await volumesOf(client, name)).filter(({ lab }) => !isOwn(lab, labDir));
  if (foreign.length > 0) {
    const names = foreign.map(({ volume }) => volume).join(" ");
    throw new LabError(
      "OTHER_LAB_RUNNING",
      `The volumes of the Compose project "${name}" belong to another lab.`,
      {
        reason: `They hold the data of ${foreign[0]?.lab}; this lab is ${labDir}.`,
        remedy: `Give this one another COMPOSE_PROJECT_NAME (.env.example), or remove them: "make clean" there, or "docker volume rm ${names}".`,
      },
    );
  }
}

/** True for a thing with this label's value. */
export function isOwn(lab: string, labDir: string): boolean {
  return lab === "" || lab === labDir;
}

async function volumesOf(client: Docker, project: string): Promise<{ volume: string; lab: string }[]> {
  const { Volumes } = await client.listVolumes({ filters: ofProject(project) });
  return Volumes.map(({ Name, Labels }) => ({ volume: Name, lab: Labels?.[labLabel] ?? "" }));
}

async function removeVolume(client: Docker, name: string): Promise<void> {
  try {
    await client.getVolume(name).remove();
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode === 404) return;
    if (statusCode === undefined) throw error;
    throw new LabError("LEFTOVERS", `The volume ${name} cannot be removed.`, {
      reason: messageOf(error),
      remedy: `See "docker ps --all --filter volume=${name}", remove what uses it, then "make clean" again.`,
      cause: error,
    });
  }
}
