/** The Broker port and its adapters. Everything not listed here is private to the package. */

export type {
  Broker,
  ConsumeOptions,
  Consumer,
  Delivery,
  Handler,
  OutgoingMessage,
  QueueDepth,
  QueueOperator,
  RedriveOptions,
  StopReport,
} from "./broker.ts";
export {
  type BullmqAddress,
  type BullmqOptions,
  bullmqOperator,
  connectBullmq,
} from "./bullmq/bullmq-broker.ts";
export { BrokerUnavailable, LeaseLost, PermanentFailure, RetryLater } from "./errors.ts";
export { MemoryBroker } from "./memory/memory-broker.ts";
export { type FunctionOperatorOptions, functionOperator } from "./sns-sqs/function-operator.ts";
export { type FunctionTopology, functionTopology } from "./sns-sqs/function-topology.ts";
export { connectSnsSqs, type SnsSqsOptions } from "./sns-sqs/sns-sqs-broker.ts";
export { sqsOperator } from "./sns-sqs/sqs-operator.ts";
