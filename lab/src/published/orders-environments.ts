/** The published order pipeline on an emulator and on AWS: names, network and procedure. It has no figures. */
import { z } from "zod";
import { readPublished } from "./read-published.ts";

const names = z.array(z.string()).min(1);

const schema = z.strictObject({
  system: z.literal("orders"),
  source: z.string(),
  workload: z.strictObject({ tool: z.string(), users: z.int(), spawnRate: z.number() }),
  network: z.strictObject({ vpc: z.string(), public: names, private: names, region: z.string() }),
  note: z.string(),
  names: z.strictObject({
    cluster: z.string(),
    services: names,
    repositories: names,
    queue: z.string(),
    logGroups: names,
    output: z.string(),
    variables: names,
  }),
  procedure: names,
});

export type PublishedOrdersEnvironments = z.output<typeof schema>;

/** @throws LabError DATA_DAMAGED */
export function publishedOrdersEnvironments(directory?: string): PublishedOrdersEnvironments {
  return readPublished("orders-environments.json", schema, directory);
}
