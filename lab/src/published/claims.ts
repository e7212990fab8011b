/**
 * What the published studies claim, each with its source, how it can be tested and the experiment that does. An id begins
 * with the letter of its source and is never used twice.
 */
import { z } from "zod";
import { readPublished } from "./read-published.ts";
import type { PublishedSystem } from "./systems.ts";

/** First letters of ids and the system that the source is about; two sources are about orders. */
const systemOfLetter = {
  o: "orders",
  h: "orders",
  b: "bidding",
  g: "geecache",
  z: "bazaar",
} as const satisfies Record<string, PublishedSystem>;

const schema = z
  .array(
    z.strictObject({
      id: z.string().regex(/^[ohbgz]\d{2}$/, "must be one of o, h, b, g, z and two digits"),
      source: z.string(),
      claim: z.string().min(1),
      testable: z.string().min(1),
      experiment: z.string().min(1),
    }),
  )
  .min(1)
  .superRefine((all, context) => {
    const seen = new Set<string>();
    all.forEach(({ id }, index) => {
      if (seen.has(id))
        context.addIssue({ code: "custom", path: [index, "id"], message: `${id} is there twice` });
      seen.add(id);
    });
  });

export type Claim = z.output<typeof schema>[number] & { readonly system: PublishedSystem };

/**
 * All claims, or those of one system, one experiment, or both.
 * @throws LabError DATA_DAMAGED
 */
export function claims(
  only: { readonly system?: PublishedSystem | undefined; readonly experiment?: string | undefined } = {},
  directory?: string,
): Claim[] {
  return readPublished("claims.json", schema, directory)
    .map((claim) => ({ ...claim, system: systemOfLetter[claim.id[0] as keyof typeof systemOfLetter] }))
    .filter(
      ({ system, experiment }) =>
        (only.system === undefined || system === only.system) &&
        (only.experiment === undefined || experiment === only.experiment),
    );
}
