/** The bidding system's services as parts. There is one gateway here, where bids go; containers have two behind a balancer. */
import type { Settings } from "../../settings.ts";
import type { PartPlan } from "./plan.ts";
import { chosenOf, servicePart } from "./service-part.ts";
import type { WantedVariables } from "./unlike-settings.ts";

/** How long an auction stays in Redis once its end is archived, as in containers (compose/bidding.yaml). */
const retentionSeconds = 600;

/** @param databaseUrl with credentials */
export function biddingParts(settings: Settings, databaseUrl: string): PartPlan[] {
  const { ports, bidding } = settings;
  const engines = {
    REDIS_URL: `redis://127.0.0.1:${ports.redis}`,
    NATS_URL: `nats://127.0.0.1:${ports.nats}`,
  };
  const database = { DATABASE_URL: databaseUrl };
  const parts = biddingPorts(settings);
  return [
    servicePart(settings, {
      ...parts.gateway,
      main: "bidding/src/gateway/main.ts",
      dependsOn: ["redis", "nats", "postgres"],
      environment: { ...engines, ...database },
    }),
    servicePart(settings, {
      ...parts.broadcaster,
      main: "bidding/src/broadcaster/main.ts",
      dependsOn: ["redis", "nats"],
      environment: {
        ...engines,
        GATEWAY_URL: `http://127.0.0.1:${ports.biddingApi}`,
        BROADCAST_HZ: String(bidding.broadcastHz),
      },
    }),
    servicePart(settings, {
      ...parts.archiver,
      main: "bidding/src/archiver/main.ts",
      dependsOn: ["redis", "nats", "postgres"],
      environment: { ...engines, ...database, RETENTION_SECONDS: String(retentionSeconds) },
    }),
  ];
}

export function biddingVariables(settings: Settings): WantedVariables {
  return chosenOf(biddingParts(settings, ""), ["BROADCAST_HZ"]);
}

/** Names, ports and the variables that move them. */
export function biddingPorts({ ports }: Settings) {
  return {
    gateway: { name: "bidding-gateway-1", port: ports.biddingApi, portVariable: "BIDDING_API_PORT" },
    broadcaster: { name: "bidding-broadcaster", port: ports.biddingLive, portVariable: "BIDDING_LIVE_PORT" },
    archiver: {
      name: "bidding-archiver",
      port: ports.biddingArchiver,
      portVariable: "BIDDING_ARCHIVER_PORT",
    },
  };
}
