/** What the settings that name one of several things may name. */

/** The systems that exist. `PROFILE` names some of them, or `all`. */
export const profiles = ["orders", "bidding"] as const;
export type Profile = (typeof profiles)[number];

/** The runtimes that exist. */
export const runtimes = ["compose", "process"] as const;
export type RuntimeName = (typeof runtimes)[number];

/** `auto`: the one that runs; else compose where a Docker engine answers, process where none does. */
export const runtimeChoices = ["auto", ...runtimes] as const;

/** The AWS emulators that the Compose lab can run; the process runtime has one of its own. */
export const emulators = ["localstack", "ministack"] as const;
export type EmulatorName = (typeof emulators)[number];

/** What carries queued orders from the receiver to whoever pays for them. */
export const brokers = ["sns-sqs", "bullmq"] as const;
export type BrokerName = (typeof brokers)[number];

/** Who takes queued orders: the processor's workers, or a Lambda function on the emulator. Never both. */
export const consumers = ["workers", "lambda"] as const;
export type ConsumerName = (typeof consumers)[number];

/** How many gateways of bidding there are in containers: two behind a load balancer, or one by itself. */
export const gatewayChoices = ["1", "2"] as const;
