/** The compose files as parts of a lab: what Compose itself makes of them, with names, ports and URLs for people. */
import { z } from "zod";
import { LabError } from "../../cli/lab-error.ts";
import type { PartKind } from "../runtime.ts";

export interface ComposePart {
  /** The service's name in the compose files. */
  readonly name: string;
  readonly kind: PartKind;
  /** On 127.0.0.1; null for one that only other parts reach. */
  readonly port: number | null;
  /** The variable that moves the port. */
  readonly portVariable: string | undefined;
  /** For display, without credentials; null without a port. */
  readonly url: string | null;
  readonly image: string;
}

/** By part, the variable that moves its port, should it have one. */
const portVariables: Readonly<Record<string, string | undefined>> = {
  postgres: "POSTGRES_PORT",
  redis: "REDIS_PORT",
  nats: "NATS_PORT",
  emulator: "EMULATOR_PORT",
  "orders-receiver": "ORDERS_RECEIVER_PORT",
  "orders-payments": "ORDERS_PAYMENTS_PORT",
  "orders-processor": "ORDERS_PROCESSOR_PORT",
  "bidding-balancer": "BIDDING_API_PORT",
  // Where there is no balancer.
  "bidding-gateway-1": "BIDDING_API_PORT",
  "bidding-gateway-2": undefined,
  "bidding-broadcaster": "BIDDING_LIVE_PORT",
  "bidding-archiver": "BIDDING_ARCHIVER_PORT",
};

/** Every part that a lab in containers may have. */
export const partNames: readonly string[] = Object.keys(portVariables);

const configSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      labels: z.object({ "parallax.kind": z.enum(["engine", "service"]) }).loose(),
      ports: z.array(z.object({ published: z.string() }).loose()).default([]),
    }),
  ),
});

/**
 * Engines first, then services, each in alphabetical order.
 * @param config what `docker compose config --format json` has printed
 */
export function partsOf(config: string): ComposePart[] {
  const parsed = configSchema.safeParse(parseOrNothing(config));
  if (!parsed.success) {
    throw new LabError("COMMAND_FAILED", "The compose files are not what the lab expects.", {
      reason: z.prettifyError(parsed.error),
      remedy: "Each service needs an image and the label parallax.kind (see compose/templates.yaml).",
      cause: parsed.error,
    });
  }
  const parts = Object.entries(parsed.data.services).map(([name, { image, labels, ports }]): ComposePart => {
    const port = ports[0] === undefined ? null : Number(ports[0].published);
    return {
      name,
      kind: labels["parallax.kind"],
      port,
      portVariable: portVariables[name],
      url: displayUrl(name, port),
      image,
    };
  });
  return parts.sort((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name));
}

/** Without credentials. */
export function displayUrl(part: string, port: number | null): string | null {
  if (port === null) return null;
  if (part === "postgres") return `postgres://127.0.0.1:${port}/parallax`;
  if (part === "redis" || part === "nats") return `${part}://127.0.0.1:${port}`;
  return `http://127.0.0.1:${port}`;
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
