/**
 * The lab's settings: environment in, typed settings or one error listing all that is wrong out. `.env` in the
 * repository's root is read first; the real environment wins. `.env.example` explains every variable.
 */
import { readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { parseEnv } from "node:util";
import { z } from "zod";
import { hasCode, LabError } from "./cli/lab-error.ts";
import { type BackingImageVariable, backingImageVariables } from "./images/catalogue.ts";

/** The systems that exist. `PROFILE` names some of them, or `all`. */
export const profiles = ["orders"] as const;
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

type Environment = Readonly<Record<string, string | undefined>>;

const port = (fallback: number) => wholeNumber(1, 65_535, fallback);

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
  EMULATOR_PORT: port(4566),
  REDIS_PORT: port(6379),
  NATS_PORT: port(4222),
  POSTGRES_PORT: port(5432),
  NUM_WORKERS: wholeNumber(1, 1_000, 20),
  PAYMENT_SECONDS: decimal(0, 600, 3),
  PAYMENT_CONCURRENCY: wholeNumber(0, 10_000, 1),
  VISIBILITY_TIMEOUT_SECONDS: wholeNumber(1, 43_200, 30),
  SYNC_ABANDON: oneOf(["drop", "keep"]).default("drop"),
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
  EMULATOR_PORT: "emulator",
  REDIS_PORT: "redis",
  NATS_PORT: "nats",
  POSTGRES_PORT: "postgres",
} as const satisfies Partial<Record<keyof z.infer<typeof settingsSchema>, keyof Settings["ports"]>>;

/** Names of the variables that move a port. */
export const portVariables = Object.keys(portSettings) as (keyof typeof portSettings)[];

export interface Settings {
  profiles: readonly Profile[];
  runtime: (typeof runtimeChoices)[number];
  /** What stands for AWS in the Compose lab. */
  emulator: EmulatorName;
  broker: BrokerName;
  consumer: ConsumerName;
  /** Names the containers, networks and volumes of this lab apart from those of another one. */
  composeProject: string;
  /** Absolute path. */
  labDir: string;
  ports: {
    ordersReceiver: number;
    ordersPayments: number;
    ordersProcessor: number;
    emulator: number;
    redis: number;
    nats: number;
    postgres: number;
  };
  orders: {
    /** Orders that the processor works on at the same time. */
    numWorkers: number;
    /** Seconds a payment takes. */
    paymentSeconds: number;
    /** Payments at the same time; 0 means no limit. */
    paymentConcurrency: number;
    /** Seconds that a received order stays hidden from other workers unless its worker extends them. */
    visibilitySeconds: number;
    /** What becomes of a synchronous order in the payment line when its customer hangs up. */
    syncAbandon: "drop" | "keep";
  };
  logLevel: string;
  /** URL of the collector that services send traces to; they trace nothing without one. */
  traceCollector: string | undefined;
  /** Path of a k6 program, if the user named one. */
  k6: string | undefined;
  images: {
    /** Images that the user named instead of the official ones. */
    backing: Partial<Record<BackingImageVariable, string>>;
    /** Base of the services' images, if the user named one. */
    node: string | undefined;
  };
  /** Account token, which LocalStack versions after 4.14 ask for. A secret. */
  localstackToken: string | undefined;
}

/**
 * @param env variables by name; unset and empty mean the default
 * @param root directory that a relative LAB_DIR is relative to
 * @throws LabError SETTINGS_INVALID that lists everything wrong at once
 */
export function settingsFromEnv(env: Environment, root: string): Settings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => (value ?? "").trim() !== ""));
  const parsed = settingsSchema.safeParse(given);
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`));
  }
  const values = parsed.data;
  const clashes = [...portClashes(values), ...lambdaClashes(values)];
  if (clashes.length > 0) throw invalid(clashes);
  return {
    profiles: values.PROFILE,
    runtime: values.RUNTIME,
    emulator: values.EMULATOR,
    broker: values.BROKER,
    consumer: values.CONSUMER,
    composeProject: values.COMPOSE_PROJECT_NAME,
    labDir: isAbsolute(values.LAB_DIR) ? values.LAB_DIR : join(root, values.LAB_DIR),
    ports: {
      ordersReceiver: values.ORDERS_RECEIVER_PORT,
      ordersPayments: values.ORDERS_PAYMENTS_PORT,
      ordersProcessor: values.ORDERS_PROCESSOR_PORT,
      emulator: values.EMULATOR_PORT,
      redis: values.REDIS_PORT,
      nats: values.NATS_PORT,
      postgres: values.POSTGRES_PORT,
    },
    orders: {
      numWorkers: values.NUM_WORKERS,
      paymentSeconds: values.PAYMENT_SECONDS,
      paymentConcurrency: values.PAYMENT_CONCURRENCY,
      visibilitySeconds: values.VISIBILITY_TIMEOUT_SECONDS,
      syncAbandon: values.SYNC_ABANDON,
    },
    logLevel: values.LOG_LEVEL,
    traceCollector: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    k6: values.K6,
    images: { backing: chosenImages(values), node: values.NODE_IMAGE },
    localstackToken: values.LOCALSTACK_AUTH_TOKEN,
  };
}

/**
 * The environment with the variables of `<root>/.env` beneath it. Only names that are settings are taken from the file.
 * @throws LabError SETTINGS_INVALID when the file is there and cannot be read
 */
export function environmentWithDotEnv(root: string, env: Environment): Environment {
  let text: string;
  try {
    text = readFileSync(join(root, ".env"), "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return env;
    throw new LabError("SETTINGS_INVALID", "The file .env cannot be read.", {
      reason: error instanceof Error ? error.message : String(error),
      remedy: "Make it readable, or remove it: every setting has a default.",
      cause: error,
    });
  }
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => (value ?? "") !== ""));
  return { ...parseEnv(text), ...set };
}

function invalid(problems: readonly string[]): LabError {
  return new LabError("SETTINGS_INVALID", "The settings are not valid.", {
    reason: problems.join("; "),
    remedy: "Correct the variables or the options; .env.example explains each.",
  });
}

function portClashes(values: Record<string, unknown>): string[] {
  const names = Map.groupBy(portVariables, (name) => values[name]);
  return [...names]
    .filter(([, sharing]) => sharing.length > 1)
    .map(([number, sharing]) => `${sharing.join(" and ")} must differ, all are ${String(number)}`);
}

/** A Lambda function is called by SNS, on an emulator that runs functions without images of its own for them. */
function lambdaClashes(values: z.output<typeof settingsSchema>): string[] {
  if (values.CONSUMER !== "lambda") return [];
  if (values.BROKER === "bullmq") {
    return [
      "CONSUMER=lambda needs BROKER=sns-sqs: it is SNS that calls a Lambda function, and BullMQ has none",
    ];
  }
  if (values.RUNTIME === "process") {
    return ["CONSUMER=lambda needs RUNTIME=compose: the process runtime's emulator runs no Lambda functions"];
  }
  if (values.EMULATOR !== "ministack") {
    return [
      "CONSUMER=lambda needs EMULATOR=ministack: LocalStack runs each Lambda function in a container of its own, from an image that it pulls from a registry",
    ];
  }
  return [];
}

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

function oneOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, { error: `must be one of: ${names.join(", ")}` });
}

function httpUrl() {
  return z
    .string()
    .trim()
    .refine(
      (text) => ["http:", "https:"].includes(URL.parse(text)?.protocol ?? ""),
      "must be a URL that begins with http:// or https://",
    );
}

/** A reference as Docker writes it: [host[:port]/]path[:tag][@digest]. */
function imageName() {
  return z
    .string()
    .regex(/^[a-z0-9][\w./:@-]{0,254}$/i, "must be an image's name, such as redis:8.0.3-alpine");
}

function chosenImages(values: Partial<Record<BackingImageVariable, string | undefined>>) {
  const given = backingImageVariables.flatMap((name) =>
    values[name] === undefined ? [] : [[name, values[name]]],
  );
  return Object.fromEntries(given) as Partial<Record<BackingImageVariable, string>>;
}

function wholeNumber(least: number, most: number, fallback: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .trim()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((value) => value >= least && value <= most, message)
    .default(fallback);
}

function decimal(least: number, most: number, fallback: number) {
  const message = `must be a number from ${least} to ${most}`;
  return z
    .string()
    .trim()
    .regex(/^\d{1,9}(\.\d{1,9})?$/, message)
    .transform(Number)
    .refine((value) => value >= least && value <= most, message)
    .default(fallback);
}
