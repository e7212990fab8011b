import t from "tap";
import { MemoryEventStream } from "../../src/adapters/memory-event-stream.ts";
import { eventStreamContract } from "../contract/event-stream-contract.ts";

const stream = new MemoryEventStream({ patienceMs: 3000 });
t.teardown(() => stream[Symbol.dispose]());
eventStreamContract(t, {
  publisher: stream,
  source: stream,
  loseDisk: async () => stream.loseDisk(),
  goAway: async () => stream.goAway(),
  comeBack: async () => stream.comeBack(),
});
