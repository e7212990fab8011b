/** The orders pipeline in containers of a suite: the three services from their image, Postgres, and what carries the queue. */

import type { Broker, QueueOperator } from "@parallax/messaging";
import { Client } from "pg";
import type { Test } from "tap";
import { OrdersApi } from "../../lab/src/experiments/orders/orders-api.ts";
import type { BrokerContainer } from "./broker-containers.ts";
import type { ContainerSuite, RunningContainer } from "./containers.ts";
import { metricOf, receiveCounts } from "./faults/service-signs.ts";
import type { Watched } from "./faults/witness.ts";
import { labDefinition, postgresPassword } from "./lab-definitions.ts";

/** Small, so that what a killed processor had in hand comes back soon. */
export const VISIBILITY_SECONDS = 3;
/** Of the services, unless told. */
export const MAX_RECEIVE_COUNT = 5;
/** Few enough that a hundred orders take seconds, in the middle of which something can be killed. */
export const WORKERS = 10;

export const ordersServices = ["orders-receiver", "orders-payments", "orders-processor"] as const;
export type OrdersService = (typeof ordersServices)[number];

const ENVIRONMENT = {
  PAYMENT_SECONDS: "0.3",
  PAYMENT_CONCURRENCY: "0",
  NUM_WORKERS: String(WORKERS),
  VISIBILITY_TIMEOUT_SECONDS: String(VISIBILITY_SECONDS),
};

export class OrdersPipeline implements Watched {
  readonly runtimeName = "containers";
  readonly broker: string;
  readonly postgres: RunningContainer;
  readonly brokerContainer: RunningContainer;
  readonly services: Readonly<Record<OrdersService, RunningContainer>>;
  readonly api: OrdersApi;
  /** To publish past the receiver, into the pipeline's own topic. */
  readonly publisher: Broker;
  readonly operator: QueueOperator;
  readonly #suite: ContainerSuite;
  readonly #carrier: BrokerContainer;

  /** Up and healthy; what is in the suite goes with it, the rest when `t` ends. */
  static async start(
    t: Test,
    suite: ContainerSuite,
    startBroker: (suite: ContainerSuite) => Promise<BrokerContainer>,
  ): Promise<OrdersPipeline> {
    const [postgres, carrier] = await Promise.all([
      suite.run("postgres", await labDefinition("postgres")),
      startBroker(suite),
    ]);
    const started = await Promise.all(
      ordersServices.map(async (name) => [name, await runService(suite, carrier, name)] as const),
    );
    const services = Object.fromEntries(started) as Record<OrdersService, RunningContainer>;
    const pipeline = new OrdersPipeline(suite, postgres, carrier, services);
    const { api, publisher, operator } = pipeline;
    t.teardown(() => Promise.all([api, publisher, operator].map((it) => it[Symbol.asyncDispose]())));
    return pipeline;
  }

  private constructor(
    suite: ContainerSuite,
    postgres: RunningContainer,
    carrier: BrokerContainer,
    services: Readonly<Record<OrdersService, RunningContainer>>,
  ) {
    this.#suite = suite;
    this.#carrier = carrier;
    this.broker = carrier.name;
    this.postgres = postgres;
    this.brokerContainer = carrier.container;
    this.services = services;
    this.api = new OrdersApi({
      receiver: this.receiverUrl,
      payments: urlOf(services["orders-payments"], 8090),
    });
    this.publisher = carrier.connect({
      visibilitySeconds: VISIBILITY_SECONDS,
      maxReceiveCount: MAX_RECEIVE_COUNT,
    });
    this.operator = carrier.operate();
  }

  get receiverUrl(): string {
    return urlOf(this.services["orders-receiver"], 8080);
  }

  /** One more service beside those of the pipeline, found by the others as `alias`. */
  async another(
    name: OrdersService,
    alias: string,
    environment: Record<string, string> = {},
  ): Promise<RunningContainer> {
    return await runService(this.#suite, this.#carrier, name, { alias, environment });
  }

  /** The answer to an order as a client sees it, whatever it is. */
  async post(body: unknown): Promise<Response> {
    return await fetch(`${this.receiverUrl}/orders/async`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  /** No payment is committed, by whomever, until it is given back: the processor's commit waits in Postgres. */
  async lockPayments(): Promise<AsyncDisposable> {
    const client = new Client({
      connectionString: `postgres://postgres:${postgresPassword}@127.0.0.1:${this.postgres.port(5432)}/parallax`,
    });
    await client.connect();
    await client.query("begin");
    await client.query("lock table orders.payments in exclusive mode");
    return {
      async [Symbol.asyncDispose]() {
        await client.query("rollback");
        await client.end();
      },
    };
  }

  /** How many deliveries the processor has failed to handle. */
  async failedDeliveries(): Promise<number> {
    return await metricOf(this.processorUrl, "orders_consumer_errors_total", 'what="handle"');
  }

  get processorUrl(): string {
    return urlOf(this.services["orders-processor"], 8091);
  }

  /** How often each of these orders had been received when it was processed, once the log tells it of all of them. */
  receiveCounts(ids: readonly string[]): Promise<Map<string, number>> {
    return receiveCounts(() => this.services["orders-processor"].logs(), ids);
  }
}

async function runService(
  suite: ContainerSuite,
  carrier: BrokerContainer,
  name: OrdersService,
  { alias = name, environment = {} }: { alias?: string; environment?: Record<string, string> } = {},
): Promise<RunningContainer> {
  const definition = await labDefinition(name, "localstack", carrier.name);
  return await suite.run(alias, definition, { environment: { ...ENVIRONMENT, ...environment } });
}

function urlOf(container: RunningContainer, port: number): string {
  return `http://127.0.0.1:${container.port(port)}`;
}
