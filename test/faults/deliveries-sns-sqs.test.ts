/** Faults of delivery on SNS and SQS. */

import t from "tap";
import { deliveryStories } from "../lib/faults/deliveries.ts";
import { WiredLab } from "../lib/faults/wired-lab.ts";

t.setTimeout(600_000);

deliveryStories(t, await WiredLab.start(t, "sns-sqs"));
