/** The topology as who deploys a Lambda function needs it: where failures go, and the subscription. */

import { type AwsOptions, snsClient, sqsClient } from "./clients.ts";
import { ensureQueues, subscribeFunction, type TopologyOptions } from "./topology.ts";

export interface FunctionTopology extends AsyncDisposable {
  /** Makes the queues where they are missing. */
  deadLetterQueueArn(): Promise<string>;
  /** Makes the function the topic's one subscriber. It must be there, and allow the topic to invoke it. */
  subscribe(functionArn: string): Promise<void>;
}

export function functionTopology(options: AwsOptions & TopologyOptions): FunctionTopology {
  const sns = snsClient(options);
  const sqs = sqsClient(options);
  return {
    async deadLetterQueueArn() {
      return (await ensureQueues(sqs, options)).deadLetterQueueArn;
    },
    async subscribe(functionArn) {
      const { queueArn } = await ensureQueues(sqs, options);
      await subscribeFunction(sns, { topic: options.topic, queueArn, functionArn });
    },
    async [Symbol.asyncDispose]() {
      sns.destroy();
      sqs.destroy();
    },
  };
}
