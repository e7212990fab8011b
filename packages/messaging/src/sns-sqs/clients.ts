/** The AWS SDK's clients, bounded in sockets and time. */

import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { NodeHttpHandler } from "@smithy/node-http-handler";

export interface AwsOptions {
  readonly region: string;
  /** The emulator's URL; undefined means AWS itself. */
  readonly endpoint?: string | undefined;
  /** Where the SDK should not look for them by itself; an emulator takes any. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** The SDK's 50 would be the ceiling of a receiver under load. */
const MAX_SOCKETS = 256;
const ATTEMPTS = 2;
/**
 * A busy broker drops what its line of new connections has no room for, and the kernel asks again after one second: less
 * than that would take a burst for an outage.
 */
const CONNECT_MS = 2500;
/** Two attempts of this are less than a caller's patience of 10 s. */
const ANSWER_MS = 3000;

/** @param attempts the SDK's own, the first one included */
export function snsClient(options: AwsOptions, answerMs = ANSWER_MS, attempts = ATTEMPTS): SNSClient {
  return new SNSClient({ ...settings(options, answerMs), maxAttempts: attempts });
}

/** @param answerMs how long an answer may take; a long poll needs more than its wait */
export function sqsClient(options: AwsOptions, answerMs = ANSWER_MS): SQSClient {
  // An emulator's queue URLs name hosts that need not resolve here; its endpoint does.
  return new SQSClient({
    ...settings(options, answerMs),
    useQueueUrlAsEndpoint: options.endpoint === undefined,
  });
}

function settings({ region, endpoint, credentials }: AwsOptions, answerMs: number) {
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return {
    region,
    maxAttempts: ATTEMPTS,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    requestHandler: new NodeHttpHandler({
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: CONNECT_MS,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
      // Waiting for a socket is normal at the ceiling; the request time-out bounds it.
      socketAcquisitionWarningTimeout: 60_000,
    }),
  };
}
