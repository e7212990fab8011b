/** What fauxqs does where emulators differ: pinned, and explained in docs/emulators.md. */

import t from "tap";
import { embeddedEmulator } from "./contract/brokers.ts";
import { observeTraits } from "./contract/emulator-traits.ts";

const emulator = await embeddedEmulator();
t.teardown(() => emulator.stop());

t.test("fauxqs", async (t) => {
  t.same(await observeTraits(emulator.endpoint), {
    publishWaitsForQueue: true,
    countsAreExact: true,
    deadLettersUnasked: false,
    // The move to the dead-letter queue counts as one.
    receiveCountWhenDeadLettered: 4,
    abandonedPollsTakeMessages: true,
    deleteByOldReceipt: "kept",
    extendAfterExpiry: "extended",
    createWithOtherAttributes: "refused",
    publishTooLarge: "refused",
    receiveCountWhenRedriven: "no such task",
  });
});
