/** One question to a part: do you answer? Probes never throw and take a bounded time. */
import { connect } from "node:net";
import { Client } from "pg";
import type { Probe } from "./plan.ts";

/**
 * @param timeout milliseconds
 * @returns true when the part answered as it does when it is ready
 */
export function answers(probe: Probe, timeout: number): Promise<boolean> {
  switch (probe.type) {
    case "http":
      return httpAnswers(probe.url, timeout);
    case "tcp":
      return tcpAnswers(probe.port, timeout);
    case "redis":
      return tcpAnswers(probe.port, timeout, { say: "PING\r\n", expect: "+PONG" });
    case "nats":
      // It speaks first, once JetStream has read its streams.
      return tcpAnswers(probe.port, timeout, { say: "", expect: "INFO " });
    case "postgres":
      return postgresAnswers(probe.url, timeout);
  }
}

async function httpAnswers(url: string, timeout: number): Promise<boolean> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(timeout),
      headers: { connection: "close" },
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function tcpAnswers(port: number, timeout: number, talk?: { say: string; expect: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    let heard = "";
    const finish = (value: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(value);
    };
    const timer = setTimeout(() => finish(false), timeout);
    socket.once("error", () => finish(false));
    socket.once("close", () => finish(false));
    socket.once("connect", () => (talk === undefined ? finish(true) : socket.write(talk.say)));
    socket.setEncoding("utf8").on("data", (text: string) => {
      heard += text;
      if (talk !== undefined && heard.length >= talk.expect.length) finish(heard.startsWith(talk.expect));
    });
  });
}

async function postgresAnswers(url: string, timeout: number): Promise<boolean> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: timeout,
    query_timeout: timeout,
  });
  // A connection that breaks between two answers reports it as an event.
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
