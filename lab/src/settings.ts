/**
 * The lab's settings: environment in, typed settings or one error listing all that is wrong out. `.env` in the
 * repository's root is read first; the real environment wins. `.env.example` explains every variable.
 */
import { readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { parseEnv } from "node:util";
import type { z } from "zod";
import { hasCode, LabError } from "./cli/lab-error.ts";
import { type BackingImageVariable, backingImageVariables } from "./images/catalogue.ts";
import type { BrokerName, ConsumerName, EmulatorName, Profile, runtimeChoices } from "./settings/choices.ts";
import { portVariables, settingsSchema } from "./settings/variables.ts";

export {
  type BrokerName,
  brokers,
  type ConsumerName,
  consumers,
  type EmulatorName,
  emulators,
  gatewayChoices,
  type Profile,
  profiles,
  type RuntimeName,
  runtimeChoices,
  runtimes,
} from "./settings/choices.ts";
export { portSettings, portVariables, settingsSchema } from "./settings/variables.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Settings {
  profiles: readonly Profile[];
  /** False where PROFILE was left out: a lab that runs is meant as it is then. */
  profileGiven: boolean;
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
    /** Where bids go: the load balancer, or the only gateway. */
    biddingApi: number;
    /** Live prices and their page. */
    biddingLive: number;
    biddingArchiver: number;
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
  bidding: {
    /** In containers; the process runtime has one. */
    gateways: 1 | 2;
    /** Prices that a watcher is sent each second at most; 0 means each one. */
    broadcastHz: number;
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
    profileGiven: given.PROFILE !== undefined,
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
      biddingApi: values.BIDDING_API_PORT,
      biddingLive: values.BIDDING_LIVE_PORT,
      biddingArchiver: values.BIDDING_ARCHIVER_PORT,
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
    bidding: { gateways: values.GATEWAYS === "1" ? 1 : 2, broadcastHz: values.BROADCAST_HZ },
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

function chosenImages(values: Partial<Record<BackingImageVariable, string | undefined>>) {
  const given = backingImageVariables.flatMap((name) =>
    values[name] === undefined ? [] : [[name, values[name]]],
  );
  return Object.fromEntries(given) as Partial<Record<BackingImageVariable, string>>;
}
