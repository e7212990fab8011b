/**
 * What a system's deployment on AWS consists of, as data for the cost model. Sizes are those of the system's
 * specification; what an order uses is an assumption, said beside each figure, and is to be replaced by what a deployment
 * has been seen to use. Systems that do not exist yet are not here.
 */

/** What is paid by the hour as long as it exists. */
export type Part =
  | {
      readonly kind: "fargate";
      readonly name: string;
      readonly tasks: number;
      /** 1 is 1024 CPU units. */
      readonly vcpu: number;
      readonly memoryGb: number;
      readonly architecture: "x86" | "arm";
    }
  | {
      readonly kind: "alb" | "nlb" | "nat" | "public-ipv4" | "cache";
      readonly name: string;
      readonly count: number;
    }
  | { readonly kind: "postgres"; readonly name: string; readonly count: number; readonly storageGb: number };

/** What is paid by use. */
export const meters = [
  "snsPublishes",
  "sqsRequests",
  "lambdaRequests",
  "lambdaGbSeconds",
  "lcuHours",
  "nlcuHours",
  "natGb",
  "logsGb",
  "dataOutGb",
] as const;
export type Meter = (typeof meters)[number];

export interface AwsEnvironment {
  readonly name: string;
  readonly summary: string;
  readonly parts: readonly Part[];
  /** What one order uses. */
  readonly perOrder: Partial<Record<Meter, number>>;
  /** What is used every hour without an order. */
  readonly perIdleHour: Partial<Record<Meter, number>>;
  /** What is assumed, for people. */
  readonly assumptions: readonly string[];
}

const kilobyte = 1e-6;

/** 256 CPU units and 512 MB, the published size of receiver and processor. */
const smallTask = { kind: "fargate", tasks: 1, vcpu: 0.25, memoryGb: 0.5, architecture: "x86" } as const;

const shared: readonly Part[] = [
  { kind: "alb", name: "load balancer", count: 1 },
  { ...smallTask, name: "receiver" },
  { ...smallTask, name: "payments" },
  { kind: "postgres", name: "database (db.t4g.micro)", count: 1, storageGb: 20 },
  { kind: "nat", name: "NAT gateway", count: 1 },
  { kind: "public-ipv4", name: "public addresses", count: 3 },
];

const perOrder = {
  snsPublishes: 1,
  // One new connection an order; an LCU is 25 a second, or 90,000 an hour.
  lcuHours: 1 / 90_000,
  dataOutGb: 1 * kilobyte,
} as const;

const assumptions = [
  "payments has the size of the receiver; the source gives the receiver's and the processor's",
  "one NAT gateway for both zones; public addresses: two of the load balancer, one of the gateway",
  "20 GB of database storage in one zone",
  "an order opens a connection of its own, and its answer is 1 KB",
  "not counted: image storage and pulls, alarms, Container Insights, storage of logs, snapshots, traffic between zones",
];

export const awsEnvironments: readonly AwsEnvironment[] = [
  {
    name: "orders",
    summary: "orders with CONSUMER=workers: receiver, payments and one processor as tasks, SNS to SQS",
    parts: [...shared, { ...smallTask, name: "processor" }],
    // SQS at worst: sent, received alone, deleted.
    perOrder: { ...perOrder, sqsRequests: 3, natGb: 8 * kilobyte, logsGb: 3 * kilobyte },
    // One poller that waits 20 s each time.
    perIdleHour: { sqsRequests: 180 },
    assumptions: [
      ...assumptions,
      "an order costs 3 SQS requests (batches make it fewer), 3 KB of logs, 8 KB through the NAT gateway",
    ],
  },
  {
    name: "orders-lambda",
    summary: "orders with CONSUMER=lambda: SNS calls a function of 512 MB for 3 s, no queue, no processor",
    parts: shared,
    perOrder: {
      ...perOrder,
      lambdaRequests: 1,
      lambdaGbSeconds: 0.5 * 3,
      natGb: 4 * kilobyte,
      logsGb: 3 * kilobyte,
    },
    perIdleHour: {},
    assumptions: [
      ...assumptions,
      "the function has 512 MB and is busy for the 3 s of the payment; 3 KB of logs, 4 KB through the NAT gateway",
    ],
  },
];
