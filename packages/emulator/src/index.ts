/**
 * SNS and SQS in this process: fauxqs, in memory, as AWS would behave where that matters to the lab.
 *
 * - It listens on the loopback address only; fauxqs' own start function listens on all.
 * - Queue URLs name the host that the caller used: `sqs.<region>.localhost` resolves on few machines.
 *
 * What it does not do, and AWS does: notice that the caller of a long poll has gone. What arrives during the
 * rest of that poll is hidden until the visibility timeout; keep polls short where consumers come and go.
 */

import { buildApp } from "fauxqs";

export interface Emulator extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  /** Everything in it is gone then. */
  stop(): Promise<void>;
}

export interface EmulatorOptions {
  /** 0 asks the system for a free one. */
  readonly port?: number;
  readonly region?: string;
}

/** @throws the system's error when the port cannot be bound */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const app = buildApp({ logger: false, defaultRegion: options.region ?? "us-west-2" });
  app.addHook("onSend", async (request, _reply, payload) => {
    const action = String(request.headers["x-amz-target"] ?? "").replace("AmazonSQS.", "");
    const named = NAMES_A_QUEUE.test(action) && typeof payload === "string";
    return named ? withCallersHost(payload, String(request.headers.host)) : payload;
  });
  const endpoint = await app.listen({ host: "127.0.0.1", port: options.port ?? 0 });
  const stop = () => app.close();
  return { endpoint, port: Number(new URL(endpoint).port), stop, [Symbol.asyncDispose]: stop };
}

const NAMES_A_QUEUE = /^(CreateQueue|GetQueueUrl|ListQueues|ListDeadLetterSourceQueues)$/;

function withCallersHost(payload: string, host: string): string {
  return payload.replaceAll(/http:\/\/sqs\.[a-z0-9-]+\.localhost:\d+\//g, `http://${host}/`);
}
