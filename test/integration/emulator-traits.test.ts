/** What the emulators do where they differ from each other or from AWS: pinned, and explained in docs/emulators.md. */

import t from "tap";
import { embeddedEmulator } from "../../packages/messaging/test/contract/brokers.ts";
import {
  type EmulatorTraits,
  observeRetention,
  observeTraits,
} from "../../packages/messaging/test/contract/emulator-traits.ts";
import { ContainerSuite } from "../lib/containers.ts";
import { localstack, ministack } from "../lib/emulators.ts";

/** The same on all of them. */
const common = {
  countsAreExact: true,
  deadLettersUnasked: false,
  extendAfterExpiry: "extended",
  createWithOtherAttributes: "refused",
  publishTooLarge: "refused",
} as const satisfies Partial<EmulatorTraits>;

const [fauxqs, onLocalstack, onMinistack] = await Promise.all([
  embeddedEmulator(),
  ContainerSuite.open(t).then(localstack),
  ContainerSuite.open(t).then((suite) => ministack(suite)),
]);
t.teardown(() => fauxqs.stop());
/** A minute on each, all at once. */
const retention = Promise.all(
  [fauxqs, onLocalstack, onMinistack].map(({ endpoint }) => observeRetention(endpoint)),
);

t.test("LocalStack", async (t) => {
  // It hands on in the background, and may be as quick as the one who looks: nothing to pin.
  const { publishWaitsForQueue: _, ...traits } = await observeTraits(onLocalstack.endpoint);
  t.same(traits, {
    ...common,
    receiveCountWhenDeadLettered: 3,
    abandonedPollsTakeMessages: true,
    deleteByOldReceipt: "deleted",
    // It begins anew when it decides on dead-lettering, and tells the old count plus two.
    receiveCountWhenRedriven: 4,
  });
});

t.test("MiniStack", async (t) => {
  t.same(await observeTraits(onMinistack.endpoint), {
    ...common,
    publishWaitsForQueue: true,
    receiveCountWhenDeadLettered: 3,
    abandonedPollsTakeMessages: false,
    deleteByOldReceipt: "refused",
    receiveCountWhenRedriven: "no such task",
  });
});

t.test("whether a message is gone when its retention period is over", { timeout: 120_000 }, async (t) => {
  const [onFauxqs, localstack, ministack] = await retention;
  t.same({ onFauxqs, localstack, ministack }, { onFauxqs: false, localstack: false, ministack: true });
});
