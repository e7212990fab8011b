/** The processor's configuration. */

import { configure, fields } from "@parallax/service";
import { z } from "zod";
import { brokerVariables, withBrokerChecked } from "../adapters/broker-environment.ts";
import { commonVariables } from "../adapters/environment.ts";

/** Every variable that it reads. */
export const processorVariables = z.object({
  ...commonVariables,
  ...brokerVariables,
  PORT: fields.port().default(8091),
  /** With scaling, the least number. */
  NUM_WORKERS: fields.integer({ min: 1, max: 1000 }).default(20),
  /** Orders that may wait for each worker before there are more of them; 0: as many workers as NUM_WORKERS, whatever waits. */
  SCALE_BACKLOG_PER_WORKER: fields.number({ min: 0, max: 100_000 }).default(0),
  MAX_WORKERS: fields.integer({ min: 1, max: 1000 }).default(200),
  SCALE_INTERVAL_SECONDS: fields.number({ min: 0.05, max: 600 }).default(1),
  /** Without any change before there are fewer workers. */
  SCALE_COOLDOWN_SECONDS: fields.number({ min: 0, max: 3600 }).default(15),
  PAYMENTS_URL: fields.url(["http", "https"]),
  PAYMENT_TIMEOUT_SECONDS: fields.integer({ min: 1, max: 3600 }).default(900),
});

export function processorConfig(env: NodeJS.ProcessEnv) {
  return configure(withBrokerChecked(processorVariables), env);
}

/** By what rule the number of workers follows the backlog; undefined where it does not. */
export function scalingOf(config: ProcessorConfig) {
  if (config.SCALE_BACKLOG_PER_WORKER === 0) return undefined;
  return {
    backlogPerWorker: config.SCALE_BACKLOG_PER_WORKER,
    least: config.NUM_WORKERS,
    most: Math.max(config.NUM_WORKERS, config.MAX_WORKERS),
    intervalSeconds: config.SCALE_INTERVAL_SECONDS,
    cooldownSeconds: config.SCALE_COOLDOWN_SECONDS,
  };
}

export type ProcessorConfig = ReturnType<typeof processorConfig>;
