/**
 * Variables that the lab assigns to services so that the parts of a lab, and the lab itself, find each other and agree: no run
 * changes them. They are read off what the process runtime gives its parts; containers are given the same variables.
 */

import { postgresUrl } from "../engines/postgres.ts";
import { rootDir } from "../paths.ts";
import { biddingParts } from "../runtimes/process/bidding-parts.ts";
import { ordersParts } from "../runtimes/process/orders-parts.ts";
import { portSettings, portVariables, type Settings, settingsFromEnv, settingsSchema } from "../settings.ts";

/** Assigned too, but each service may have its own for a run; with BROKER those that need the same one are held to it. */
const MAY_CHANGE = [
  "BROADCAST_HZ",
  "BROKER",
  "LOG_LEVEL",
  "NUM_WORKERS",
  "PAYMENT_CONCURRENCY",
  "PAYMENT_SECONDS",
  "RECEIVE_WAIT_SECONDS",
  "RETENTION_SECONDS",
  "SHUTDOWN_GRACE_SECONDS",
  "SYNC_ABANDON",
  "VISIBILITY_TIMEOUT_SECONDS",
];

/** By variable, the setting in `.env` that decides its value; undefined where none does. Empty for what is no service. */
export function assignedVariables(service: string): ReadonlyMap<string, string | undefined> {
  const settings = settingsFromEnv({}, rootDir);
  const databaseUrl = postgresUrl(settings.ports.postgres, "");
  const parts = [...ordersParts(settings, databaseUrl), ...biddingParts(settings, databaseUrl)];
  // One gateway is there in every lab, and the others are given what it is given.
  const like = service.replace(/^(bidding-gateway)-\d+$/, "$1-1");
  const environment = parts.find(({ name }) => name === like)?.environment ?? {};
  const assigned = Object.entries(environment).filter(([name]) => !MAY_CHANGE.includes(name));
  return new Map(assigned.map(([name, value]) => [name, settingOf(name, value, settings)]));
}

/** Of an address it is the one that moves the port. */
function settingOf(name: string, value: string, { ports }: Settings): string | undefined {
  if (Object.hasOwn(settingsSchema.shape, name)) return name;
  const port = URL.parse(value)?.port ?? value;
  return portVariables.find((variable) => String(ports[portSettings[variable]]) === port);
}
