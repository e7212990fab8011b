/** Outages with SNS and SQS, on an emulator that keeps nothing. */

import t from "tap";
import { outageStories } from "../lib/faults/outages.ts";
import { WiredLab } from "../lib/faults/wired-lab.ts";

t.setTimeout(600_000);

outageStories(t, await WiredLab.start(t, "sns-sqs"));
