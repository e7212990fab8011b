/** What carries queued orders and who takes them, and what these two need. The settings have refused what never fits together. */
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

const check = "broker";

export function checkBroker({ settings, runtime }: Pick<Examination, "settings" | "runtime">): Finding[] {
  const { broker, consumer, emulator, profiles } = settings;
  if (!profiles.includes("orders")) {
    return [{ check, state: "ok", found: `not used (PROFILE=${profiles.join(",")})` }];
  }
  if (broker === "bullmq") {
    return [{ check, state: "ok", found: "BullMQ on Redis, to workers; no emulator is started" }];
  }
  if (consumer === "workers") {
    const server = runtime === "compose" ? emulator : "fauxqs";
    return [{ check, state: "ok", found: `SNS and SQS on ${server}, to workers` }];
  }
  if (runtime === "process") {
    return [
      {
        check,
        state: "fail",
        found: "CONSUMER=lambda needs containers, and make up would use the process runtime",
        fix: "Start a Docker engine (make engine installs one), or set CONSUMER=workers.",
      },
    ];
  }
  return [{ check, state: "ok", found: `SNS on ${emulator}, to a Lambda function` }];
}
