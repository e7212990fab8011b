/** The orders pipeline in containers on MiniStack, with the function or the workers behind the topic, one after the other. */

import { randomUUID } from "node:crypto";
import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { GetFunctionConfigurationCommand, InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { type Broker, connectSnsSqs, functionOperator, type QueueOperator } from "@parallax/messaging";
import { waitFor } from "@parallax/testkit";
import type { Test } from "tap";
import { OrdersApi } from "../../lab/src/experiments/orders/orders-api.ts";
import { lambdaClient, logsClient } from "../../lab/src/lambda/clients.ts";
import type { Deployed } from "../../lab/src/lambda/deploy.ts";
import { type Invocation, readInvocations } from "../../lab/src/lambda/invocations.ts";
import { deployOrdersFunction, ORDERS_FUNCTION } from "../../lab/src/lambda/orders-function.ts";
import { rootDir } from "../../lab/src/paths.ts";
import { emulatorAccess } from "../../packages/messaging/test/contract/brokers.ts";
import type { ContainerSuite, RunningContainer } from "./containers.ts";
import { ministack } from "./emulators.ts";
import { anOrder } from "./faults/witness.ts";
import { labDefinition } from "./lab-definitions.ts";

const names = { topic: "order-processing-events", queue: "order-processing-queue" };
const SETTLE_MS = 60_000;

export class LambdaPipeline {
  readonly lambda: LambdaClient;
  readonly logs: CloudWatchLogsClient;
  readonly queue: QueueOperator;
  readonly processor: RunningContainer;
  readonly payments: RunningContainer;
  readonly #suite: ContainerSuite;
  readonly #endpoint: string;
  readonly #databaseUrl: string;
  readonly #receivers = new Map<string, RunningContainer>();
  #receiver: RunningContainer | undefined;
  #api: OrdersApi | undefined;
  readonly #began = Date.now();

  /** All but a receiver, and with the processor stopped. Removed when `t` ends. */
  static async start(t: Test, suite: ContainerSuite): Promise<LambdaPipeline> {
    const [postgres, emulator] = await Promise.all([labDefinition("postgres"), ministack(suite)]);
    await suite.run("postgres", postgres);
    const environment = { PAYMENT_SECONDS: "0.3", PAYMENT_CONCURRENCY: "0" };
    const payments = await suite.run("orders-payments", await labDefinition("orders-payments"), {
      environment,
    });
    const processor = await suite.run("orders-processor", await labDefinition("orders-processor"));
    await processor.stop(30);
    const pipeline = new LambdaPipeline(suite, {
      endpoint: emulator.endpoint,
      payments,
      databaseUrl: (await labDefinition("orders-payments")).environment.DATABASE_URL ?? "",
      processor,
    });
    t.teardown(() => pipeline.#close());
    return pipeline;
  }

  private constructor(
    suite: ContainerSuite,
    parts: { endpoint: string; payments: RunningContainer; databaseUrl: string; processor: RunningContainer },
  ) {
    this.#suite = suite;
    this.#endpoint = parts.endpoint;
    this.payments = parts.payments;
    this.#databaseUrl = parts.databaseUrl;
    this.processor = parts.processor;
    this.lambda = lambdaClient(this.#access);
    this.logs = logsClient(this.#access);
    this.queue = functionOperator({ ...this.#access, ...names });
  }

  get api(): OrdersApi {
    if (!this.#api) throw new Error("No receiver runs yet");
    return this.#api;
  }

  /** Ends the receiver that runs, and starts one whose orders go to the function, or to the workers. */
  async receiveFor(consumer: "workers" | "lambda"): Promise<void> {
    await this.#receiver?.stop(30);
    const before = this.#receivers.get(consumer);
    await before?.start();
    const environment = { CONSUMER: consumer };
    const receiver =
      before ??
      (await this.#suite.run(`receiver-${consumer}`, await labDefinition("orders-receiver"), {
        environment,
      }));
    this.#receivers.set(consumer, receiver);
    this.#receiver = receiver;
    await this.#api?.[Symbol.asyncDispose]();
    this.#api = new OrdersApi({
      receiver: `http://127.0.0.1:${receiver.port(8080)}`,
      payments: `http://127.0.0.1:${this.payments.port(8090)}`,
    });
  }

  deploy(): Promise<Deployed> {
    return deployOrdersFunction({
      root: rootDir,
      access: this.#access,
      ...names,
      visibilitySeconds: 30,
      maxReceiveCount: 5,
      environment: {
        DATABASE_URL: this.#databaseUrl,
        PAYMENTS_URL: "http://orders-payments:8090",
        LOG_LEVEL: "info",
      },
      signal: AbortSignal.timeout(120_000),
    });
  }

  /** For what the receiver would refuse. */
  publisher(): Broker {
    return connectSnsSqs({
      ...this.#access,
      ...names,
      visibilitySeconds: 30,
      waitSeconds: 1,
      maxReceiveCount: 5,
      consumer: "lambda",
    });
  }

  /** All invocations of the function, its check when it is deployed included. */
  invocations(): Promise<Invocation[]> {
    return readInvocations(this.logs, ORDERS_FUNCTION.name, { since: this.#began });
  }

  /** As SNS does on AWS: Lambda queues the event itself, with its retries and its dead-letter destination. */
  async invokeLater(event: object): Promise<void> {
    await this.lambda.send(
      new InvokeCommand({
        FunctionName: ORDERS_FUNCTION.name,
        InvocationType: "Event",
        Payload: Buffer.from(JSON.stringify(event)),
      }),
    );
  }

  /** Beside whoever is subscribed: the mistake that everything else here must not make. */
  async subscribeFunctionToo(): Promise<void> {
    const sns = new SNSClient(this.#access);
    try {
      const [{ TopicArn }, { FunctionArn: Endpoint }] = await Promise.all([
        sns.send(new CreateTopicCommand({ Name: names.topic })),
        this.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: ORDERS_FUNCTION.name })),
      ]);
      await sns.send(new SubscribeCommand({ TopicArn, Protocol: "lambda", Endpoint }));
    } finally {
      sns.destroy();
    }
  }

  /** Resolves to the ids of orders that were answered 202. */
  async accept(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID());
    await Promise.all(ids.map((id) => this.api.placeOrder(anOrder(id))));
    return ids;
  }

  /**
   * As many, a few at a time and each few completed: MiniStack starts a process for each order that is in hand, and what fails because
   * a busy machine is too slow for twenty of them is gone.
   */
  async acceptInTurns(count: number, atATime = 4): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < count) {
      const some = await this.accept(Math.min(atATime, count - ids.length));
      ids.push(...some);
      await this.#allCompleted(some);
    }
    return ids;
  }

  async completed(ids: readonly string[]): Promise<number> {
    const found = await this.api.findOrders(ids);
    return ids.filter((id) => found.get(id)?.status === "completed").length;
  }

  /** How often it has been begun, by the function or a worker. */
  async attempts(id: string): Promise<number> {
    return (await this.api.findOrder(id))?.attempts ?? 0;
  }

  /** Waits until all are completed: begun once each, charged once each. */
  async allProcessedOnce(t: Test, ids: readonly string[], since: number): Promise<void> {
    await this.#allCompleted(ids);
    const charged = (await this.api.chargesAfter(since)).map(({ order_id }) => order_id);
    t.same(charged.filter((id) => ids.includes(id)).sort(), [...ids].sort(), "one charge for each order");
    const attempts = await Promise.all(ids.map((id) => this.attempts(id)));
    t.ok(
      attempts.every((count) => count === 1),
      `each was begun once: ${attempts.join(" ")}`,
    );
  }

  async ledgerEnd(): Promise<number> {
    return (await this.api.ledgerSummary()).last_seq;
  }

  get receiverUrl(): string {
    return `http://127.0.0.1:${this.#receiver?.port(8080)}`;
  }

  get #access() {
    return { ...emulatorAccess, endpoint: this.#endpoint };
  }

  async #allCompleted(ids: readonly string[]): Promise<void> {
    await waitFor(
      `${ids.length} orders to be completed`,
      async () => (await this.completed(ids)) === ids.length,
      SETTLE_MS,
    );
  }

  async #close(): Promise<void> {
    this.lambda.destroy();
    this.logs.destroy();
    await Promise.all([this.queue, this.#api].map((each) => each?.[Symbol.asyncDispose]()));
  }
}
