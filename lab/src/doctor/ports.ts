/** The lab's ports: free, used by this lab, or taken and by whom. */
import type { Engine } from "../docker/engine.ts";
import { type Profile, portSettings, portVariables, type Settings } from "../settings.ts";
import { describeHolder, isPortFree } from "../util/ports.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

interface Publisher {
  name: string;
  /** The Compose project it belongs to, if any. */
  project: string | undefined;
}

type PortVariable = (typeof portVariables)[number];

export async function checkPorts({ settings, status, engine }: Examination): Promise<Finding[]> {
  const own = new Set(
    status.parts.filter(({ state }) => state !== "stopped" && state !== "failed").map(({ port }) => port),
  );
  const publishers = engine.usable ? await publishedPorts(engine.engine) : new Map<number, Publisher>();
  return Promise.all(
    portVariables.map(async (variable): Promise<Finding> => {
      const port = settings.ports[portSettings[variable]];
      const check = `port ${port}`;
      if (own.has(port)) return { check, state: "ok", found: "used by this lab" };
      const idle = unused(variable, settings);
      if (idle) return { check, state: "ok", found: `not needed with ${idle} (${variable})` };
      if (await isPortFree(port)) return { check, state: "ok", found: `free (${variable})` };
      return { check, state: "fail", ...describe(port, variable, publishers.get(port), settings) };
    }),
  );
}

/** The setting that makes a port unneeded. */
function unused(variable: PortVariable, { profiles, broker, consumer }: Settings): string | undefined {
  const system = systemOf(variable);
  if (system !== undefined && !profiles.includes(system)) return `PROFILE=${profiles.join(",")}`;
  if (variable === "EMULATOR_PORT" && broker === "bullmq") return "BROKER=bullmq";
  if (variable === "ORDERS_PROCESSOR_PORT" && consumer === "lambda") return "CONSUMER=lambda";
  return undefined;
}

/** The only one that uses it. */
function systemOf(variable: PortVariable): Profile | undefined {
  if (variable.startsWith("ORDERS_") || variable === "EMULATOR_PORT") return "orders";
  return variable.startsWith("BIDDING_") || variable === "NATS_PORT" ? "bidding" : undefined;
}

function describe(
  port: number,
  variable: string,
  publisher: Publisher | undefined,
  { composeProject }: Settings,
): { found: string; fix: string } {
  const move = `or set ${variable} to a free port.`;
  if (publisher === undefined) return { found: describeHolder(port), fix: `Stop it, ${move}` };
  const { name, project } = publisher;
  if (project === undefined) {
    return { found: `container ${name} publishes it`, fix: `Stop it (docker stop ${name}), ${move}` };
  }
  if (project === composeProject) {
    const found = `container ${name} of this lab publishes it, on the compose runtime`;
    return { found, fix: `Stop the lab there (make down RUNTIME=compose), ${move}` };
  }
  const found = `container ${name} of the Compose project ${project} publishes it`;
  return { found, fix: `Stop it (docker compose -p ${project} down), ${move}` };
}

/** A container's port is held by the engine itself, which says little; empty when the engine does not tell. */
async function publishedPorts({ client }: Engine): Promise<Map<number, Publisher>> {
  try {
    const containers = await client.listContainers();
    return new Map(
      containers.flatMap(({ Ports, Names, Labels }) =>
        Ports.filter(({ PublicPort }) => PublicPort !== undefined).map(
          ({ PublicPort }): [number, Publisher] => [
            PublicPort,
            { name: (Names[0] ?? "").replace(/^\//, ""), project: Labels["com.docker.compose.project"] },
          ],
        ),
      ),
    );
  } catch {
    return new Map();
  }
}
