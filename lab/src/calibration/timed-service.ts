/**
 * A service whose speed is known, for calibrating comparisons: it answers each request with the request's own body, after
 * a service time of SERVICE_MS milliseconds in the mean, log-normally distributed with the coefficient of variation JITTER,
 * drawn from SEED. Requests do not wait for each other: latency is service time, so 20 % more of the one is 20 % more of
 * the other.
 *
 * It is a program of its own, started by timed-runtime.ts with a channel: it sends its port there and ends with it, so that
 * no parent that is killed leaves it running.
 */

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { seededRandom } from "../models/seeded-random.ts";
import { logNormal } from "./log-normal.ts";

/** Timers come up to a millisecond late, and whole milliseconds are all they know: the rest is polled for. */
const TIMER_MS = 2;

const settings = z
  .object({
    SERVICE_MS: z.coerce.number().positive(),
    JITTER: z.coerce.number().min(0),
    SEED: z.coerce.number().int(),
  })
  .parse(process.env);

const random = seededRandom(settings.SEED);

const server = createServer((request, response) => {
  const serviceMs = logNormal(random, settings.SERVICE_MS, settings.JITTER);
  const until = performance.now() + serviceMs;
  readBody(request).then(
    (body) => at(until, () => response.end(body)),
    // The client has gone away.
    () => response.destroy(),
  );
});

function at(until: number, then: () => void): void {
  const poll = () => {
    if (performance.now() < until) setImmediate(poll);
    else then();
  };
  setTimeout(poll, until - performance.now() - TIMER_MS);
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8") as AsyncIterable<string>) body += chunk;
  return body;
}

process.on("disconnect", () => process.exit(0));
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
