import t from "tap";
import { MemoryLease, MemoryOutbox } from "../../src/adapters/memory-outbox.ts";
import { outboxContract } from "../contract/outbox-contract.ts";
import { toAppend } from "../some-events.ts";

const outbox = new MemoryOutbox();
outboxContract(t, {
  outbox,
  archived: outbox,
  lease: new MemoryLease(),
  append: async (event) => outbox.append(toAppend(event)),
});
