/** Outages with BullMQ, on a Redis that keeps what it has acknowledged. */

import t from "tap";
import { outageStories } from "../lib/faults/outages.ts";
import { WiredLab } from "../lib/faults/wired-lab.ts";

t.setTimeout(600_000);

outageStories(t, await WiredLab.start(t, "bullmq"));
