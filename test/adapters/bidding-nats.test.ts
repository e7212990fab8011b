/** The connection to NATS, made again for ever. */

import { createLogger } from "@parallax/service";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { NatsLink } from "../../services/bidding/src/adapters/nats.ts";
import { natsServer } from "../lib/nats-server.ts";

/** More than a connection has to stand to count as one that lasted. */
const LONG_MS = 1200;

t.test("each outage is told, also when a connection stood before it and was closed for good", async (t) => {
  const nats = await natsServer();
  t.teardown(() => nats[Symbol.asyncDispose]());
  await nats.kill();
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ name: "test", level: "warn", destination });
  const told = () => lines.filter((line) => line.includes("NATS does not answer; trying on")).length;
  const link = new NatsLink({ url: nats.url, name: "test", logger });
  t.teardown(() => link[Symbol.asyncDispose]());

  await waitFor("the first outage to be told", () => told() === 1, 20_000);
  await nats.start();
  await link.ready(AbortSignal.timeout(20_000));
  const connectedAt = performance.now();
  await waitFor("it to have lasted", () => performance.now() - connectedAt > LONG_MS, 20_000);
  await nats.kill();
  await link.connection.close();
  await waitFor("the second outage to be told", () => told() === 2, 20_000);
  await nats.start();
  await link.ready(AbortSignal.timeout(20_000));
  t.equal(link.epoch, 2);
  t.equal(told(), 2, "once for each");
});
