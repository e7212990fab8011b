/** What a lab that runs was given and would not be given by the settings of now: `up` leaves it as it is, and says so. */
import type { LabStatus } from "../runtime.ts";

/** By part, the variables that settings decide; undefined for one that is not given. */
export type WantedVariables = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

/**
 * For people, each once: `NUM_WORKERS=20`. What has been changed while the lab runs is left out, since it is no setting.
 * @param variables what a part has
 */
export async function unlikeSettings(
  wanted: WantedVariables,
  { parts }: Pick<LabStatus, "parts">,
  variables: (part: string, names: readonly string[]) => Promise<Readonly<Record<string, string>>>,
): Promise<string[]> {
  const unlike = new Set<string>();
  for (const { name: part, overrides } of parts) {
    const own = wanted[part] ?? {};
    const names = Object.keys(own).filter((name) => !Object.hasOwn(overrides, name));
    if (names.length === 0) continue;
    const has = await variables(part, names);
    for (const name of names) {
      if (has[name] !== own[name])
        unlike.add(has[name] === undefined ? `no ${name}` : `${name}=${has[name]}`);
    }
  }
  return [...unlike];
}

/** One line. */
export function describeUnlike(unlike: readonly string[]): string {
  const scalable = unlike.some((each) => each.startsWith("NUM_WORKERS="));
  const how = `run "make down" and "make up"${scalable ? ", or make scale for the workers" : ""}`;
  return `The lab runs with ${unlike.join(", ")}, other than the settings say now; to change that, ${how}`;
}
