/** The published stock bazaar: workload, deployment and the artefacts it produced. It has no figures. */
import { z } from "zod";
import { readPublished } from "./read-published.ts";

const schema = z.strictObject({
  system: z.literal("bazaar"),
  source: z.string(),
  workload: z.strictObject({
    clients: z.int(),
    tradeProbabilities: z.array(z.number().min(0).max(1)).min(1),
    cache: z.array(z.enum(["on", "off"])),
  }),
  deployment: z.strictObject({
    orderReplicas: z.int(),
    ports: z.strictObject({ frontend: z.int(), catalog: z.int(), orders: z.array(z.int()) }),
    aws: z.strictObject({ instance: z.string(), region: z.string() }),
  }),
  artefacts: z.array(z.string()).min(1),
  note: z.string(),
});

export type PublishedBazaar = z.output<typeof schema>;

/** @throws LabError DATA_DAMAGED */
export function publishedBazaar(directory?: string): PublishedBazaar {
  return readPublished("bazaar.json", schema, directory);
}
