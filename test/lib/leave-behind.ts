/**
 * A suite that never ends: it makes a network, a volume and a container, and waits to be killed. Started as a program with
 * an alias for its container; it says "ready" when that is healthy.
 */

import { ContainerSuite } from "./containers.ts";
import { labDefinition } from "./lab-definitions.ts";

const suite = await ContainerSuite.open({ teardown: () => {} });
await suite.run(process.env.LEAVE_BEHIND ?? "left", await labDefinition("redis"));
process.stdout.write("ready\n");
// The event loop stays alive, and nothing else happens.
setInterval(() => {}, 60_000);
