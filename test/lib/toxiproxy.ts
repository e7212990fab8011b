/**
 * Faults on the wire: TCP proxies by toxiproxy between services and what they need, which cut, silence or delay what goes
 * through them. The server is the test's own and ends with it.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { findOrBuildToxiproxy } from "../../lab/src/engines/toxiproxy.ts";
import { freePort } from "../../lab/src/util/ports.ts";
import { childEnvironment } from "../../lab/src/util/run-command.ts";
import { checkoutSettings } from "./own-lab.ts";

/** `upstream`: from who connects to the server; `downstream`: the answers. */
export type Direction = "upstream" | "downstream";

export interface Wire {
  /** The proxy's port on 127.0.0.1. */
  readonly port: number;
  /** The same as an HTTP origin. */
  readonly url: string;
  /** Closes all connections and refuses new ones, as a server that is not there. */
  cut(): Promise<void>;
  /**
   * Nothing gets through and nobody is told, as on a network that drops packets: what is sent meanwhile is lost. `heal`
   * closes the connections that it has hit. Both directions unless one is named.
   */
  silence(direction?: Direction): Promise<void>;
  /** Answers come this much later. */
  delay(milliseconds: number): Promise<void>;
  /** From now on to another server. Open connections are closed. */
  redirect(url: string): Promise<void>;
  /** As it was at first, wherever it leads by now. */
  heal(): Promise<void>;
}

export interface Toxiproxy {
  /** A new proxy in front of the server at `url`. */
  wire(name: string, url: string): Promise<Wire>;
}

const CALL_MS = 5000;

/** The first of all tests may have to build it, which takes about 15 s. */
export async function startToxiproxy(t: Pick<Test, "teardown" | "comment">): Promise<Toxiproxy> {
  const program = await findOrBuildToxiproxy({
    labDir: checkoutSettings().labDir,
    signal: AbortSignal.timeout(300_000),
    onEvent: ({ text }) => t.comment(text),
  });
  const port = await freePort();
  const child = spawn(program, ["-host", "127.0.0.1", "-port", String(port)], {
    env: { ...childEnvironment(process.env), LOG_LEVEL: "error" },
    stdio: "ignore",
  });
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  t.teardown(async () => {
    end();
    await ended(child);
    process.off("exit", end);
  });
  const call = caller(`http://127.0.0.1:${port}`);
  await waitFor("toxiproxy to answer", async () => {
    if (child.exitCode !== null) throw new Error(`toxiproxy ended with ${child.exitCode}`);
    return (await call("GET", "/version")) !== undefined;
  });
  return { wire: (name, url) => makeWire(call, name, url) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

type Call = (method: string, path: string, body?: object) => Promise<unknown>;

function caller(api: string): Call {
  return async (method, path, body) => {
    const answer = await fetch(`${api}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(CALL_MS),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path} answers ${answer.status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
}

async function makeWire(call: Call, name: string, url: string): Promise<Wire> {
  // Its own choice of port is taken again when it is enabled after a cut.
  const made = (await call("POST", "/proxies", {
    name,
    listen: "127.0.0.1:0",
    upstream: addressOf(url),
    enabled: true,
  })) as { listen: string };
  const proxy = `/proxies/${name}`;
  const toxics = new Set<string>();

  async function add(type: string, stream: Direction, attributes: object): Promise<void> {
    const toxic = `${type}-${stream}`;
    await call("POST", `${proxy}/toxics`, { name: toxic, type, stream, attributes });
    toxics.add(toxic);
  }

  return {
    port: Number(made.listen.split(":").at(-1)),
    url: `http://${made.listen}`,
    cut: async () => void (await call("PATCH", proxy, { enabled: false })),
    async silence(direction) {
      const directions = direction ? [direction] : (["upstream", "downstream"] as const);
      for (const stream of directions) await add("timeout", stream, { timeout: 0 });
    },
    delay: (latency) => add("latency", "downstream", { latency }),
    redirect: async (to) => void (await call("PATCH", proxy, { upstream: addressOf(to), enabled: true })),
    async heal() {
      for (const toxic of toxics) await call("DELETE", `${proxy}/toxics/${toxic}`);
      toxics.clear();
      await call("PATCH", proxy, { enabled: true });
    },
  };
}

function addressOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port}`;
}
