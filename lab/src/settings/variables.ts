/** The variables that are settings, with their defaults. `.env.example` explains each. */
import { z } from "zod";
import { type BackingImageVariable, backingImageVariables } from "../images/catalogue.ts";
import {
  brokers,
  consumers,
  emulators,
  gatewayChoices,
  type Profile,
  profiles,
  runtimeChoices,
} from "./choices.ts";
import { decimal, httpUrl, imageName, oneOf, port, wholeNumber } from "./fields.ts";

/** One entry per variable; `.env.example` lists the same names, and a test compares the two. */
export const settingsSchema = z.object({
  PROFILE: z.string().default("all").transform(parseProfiles),
  RUNTIME: oneOf(runtimeChoices).default("auto"),
  EMULATOR: oneOf(emulators).default("localstack"),
  BROKER: oneOf(brokers).default("sns-sqs"),
  CONSUMER: oneOf(consumers).default("workers"),
  LAB_DIR: z.string().default(".lab"),
  COMPOSE_PROJECT_NAME: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9_-]{0,62}$/,
      "must be lower-case letters, digits, - and _, and begin with no sign",
    )
    .default("parallax"),
  ORDERS_RECEIVER_PORT: port(8080),
  ORDERS_PAYMENTS_PORT: port(8090),
  ORDERS_PROCESSOR_PORT: port(8091),
  BIDDING_API_PORT: port(8081),
  BIDDING_LIVE_PORT: port(8082),
  BIDDING_ARCHIVER_PORT: port(8083),
  EMULATOR_PORT: port(4566),
  REDIS_PORT: port(6379),
  NATS_PORT: port(4222),
  POSTGRES_PORT: port(5432),
  NUM_WORKERS: wholeNumber(1, 1_000, 20),
  PAYMENT_SECONDS: decimal(0, 600, 3),
  PAYMENT_CONCURRENCY: wholeNumber(0, 10_000, 1),
  VISIBILITY_TIMEOUT_SECONDS: wholeNumber(1, 43_200, 30),
  SYNC_ABANDON: oneOf(["drop", "keep"]).default("drop"),
  GATEWAYS: oneOf(gatewayChoices).default("2"),
  BROADCAST_HZ: wholeNumber(0, 1_000, 20),
  LOG_LEVEL: oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl().optional(),
  K6: z.string().optional(),
  ...(Object.fromEntries(backingImageVariables.map((name) => [name, imageName().optional()])) as Record<
    BackingImageVariable,
    z.ZodOptional<ReturnType<typeof imageName>>
  >),
  NODE_IMAGE: imageName().optional(),
  LOCALSTACK_AUTH_TOKEN: z.string().optional(),
});

/** The variables that move a port, each with the name of its setting. */
export const portSettings = {
  ORDERS_RECEIVER_PORT: "ordersReceiver",
  ORDERS_PAYMENTS_PORT: "ordersPayments",
  ORDERS_PROCESSOR_PORT: "ordersProcessor",
  BIDDING_API_PORT: "biddingApi",
  BIDDING_LIVE_PORT: "biddingLive",
  BIDDING_ARCHIVER_PORT: "biddingArchiver",
  EMULATOR_PORT: "emulator",
  REDIS_PORT: "redis",
  NATS_PORT: "nats",
  POSTGRES_PORT: "postgres",
} as const satisfies Partial<Record<keyof z.infer<typeof settingsSchema>, string>>;

/** Names of the variables that move a port. */
export const portVariables = Object.keys(portSettings) as (keyof typeof portSettings)[];

function parseProfiles(text: string, context: z.RefinementCtx<string>): Profile[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => name !== "all" && !profiles.some((profile) => profile === name));
  if (unknown.length > 0) {
    context.addIssue(
      `does not know ${unknown.map((name) => `"${name}"`).join(", ")}; there is: all, ${profiles.join(", ")}`,
    );
  }
  return profiles.filter((profile) => names.includes("all") || names.includes(profile));
}
