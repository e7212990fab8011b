/** What can befall a processor on SNS and SQS. */

import t from "tap";
import { deathStories } from "../lib/faults/deaths.ts";
import { WiredLab } from "../lib/faults/wired-lab.ts";

t.setTimeout(600_000);

deathStories(t, await WiredLab.start(t, "sns-sqs", { PAYMENT_SECONDS: "1.3" }));
