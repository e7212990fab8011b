/** What `docker compose config` makes of the compose files, for every combination of profiles and of choices. */
import { join } from "node:path";
import t, { type Test } from "tap";
import { z } from "zod";
import { runDocker } from "../../../lab/src/docker/cli.ts";
import { backingImages, nodeBase } from "../../../lab/src/images/catalogue.ts";
import { rootDir } from "../../../lab/src/paths.ts";
import { partsOf } from "../../../lab/src/runtimes/compose/parts.ts";
import {
  brokers,
  consumers,
  emulators,
  gatewayChoices,
  portVariables,
  profiles,
} from "../../../lab/src/settings.ts";

const portSchema = z.object({ host_ip: z.string(), published: z.string(), target: z.number() });
const serviceSchema = z.object({
  image: z.string(),
  command: z.array(z.string()).nullish(),
  user: z.string().optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_add: z.undefined().optional(),
  cap_drop: z.array(z.string()).optional(),
  privileged: z.undefined().optional(),
  network_mode: z.undefined().optional(),
  pid: z.undefined().optional(),
  security_opt: z.array(z.string()),
  pids_limit: z.number().positive(),
  cpus: z.number().positive(),
  mem_limit: z.string(),
  init: z.boolean().optional(),
  restart: z.string(),
  stop_grace_period: z.string(),
  pull_policy: z.string(),
  labels: z.record(z.string(), z.string()),
  logging: z.object({ driver: z.literal("json-file"), options: z.record(z.string(), z.string()) }),
  environment: z.record(z.string(), z.string().nullable()).default({}),
  ports: z.array(portSchema).default([]),
  volumes: z
    .array(
      z.object({
        type: z.string(),
        source: z.string(),
        target: z.string(),
        read_only: z.boolean().default(false),
      }),
    )
    .default([]),
  healthcheck: z.object({
    test: z.array(z.string()).min(2),
    interval: z.string(),
    timeout: z.string(),
    retries: z.number(),
    start_period: z.string(),
    start_interval: z.string(),
  }),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  build: z.unknown().optional(),
});
const configSchema = z.object({ name: z.string(), services: z.record(z.string(), serviceSchema) });

/** Parts by profile; `all` is what any system may need. */
const orders = ["emulator", "orders-payments", "orders-processor", "orders-receiver", "postgres", "redis"];
const bidding = [
  ...[
    "bidding-archiver",
    "bidding-balancer",
    "bidding-broadcaster",
    "bidding-gateway-1",
    "bidding-gateway-2",
  ],
  ...["nats", "postgres", "redis"],
];
const expected: Readonly<Record<string, readonly string[]>> = {
  orders,
  bidding,
  all: [...orders, ...bidding],
};
const writableEngines: ReadonlySet<string> = new Set(["emulator"]);

async function compose(chosen: readonly string[], variables: Record<string, string>) {
  return await runDocker(
    [
      ...["compose", "--file", join(rootDir, "compose", "compose.yaml"), "--env-file", "/dev/null"],
      ...chosen.flatMap((profile) => ["--profile", profile]),
      ...["config", "--format", "json"],
    ],
    { env: variables },
  );
}

async function configOf(chosen: readonly string[], variables: Record<string, string> = {}) {
  const { code, stdout, stderr } = await compose(chosen, { POSTGRES_PASSWORD: "a secret", ...variables });
  if (code !== 0) throw new Error(stderr);
  return { text: stdout, ...configSchema.parse(JSON.parse(stdout)) };
}

/** Every set of names but the empty one. */
function combinations([name, ...rest]: readonly string[]): string[][] {
  if (name === undefined) return [];
  const without = combinations(rest);
  return [[name], ...without, ...without.map((set) => [name, ...set])];
}

/** Choices that the lab accepts, as variables: the emulator says nothing where there is none, and few run functions. */
const ordersChoices = brokers.flatMap((BROKER) =>
  consumers.flatMap((CONSUMER) =>
    emulators.flatMap((EMULATOR) => {
      if (BROKER === "bullmq" && (CONSUMER === "lambda" || EMULATOR !== emulators[0])) return [];
      if (CONSUMER === "lambda" && EMULATOR !== "ministack") return [];
      return [{ BROKER, CONSUMER, EMULATOR }];
    }),
  ),
);
/** The choices of two systems do not meet, so that each of one with any of the other is enough. */
const choices = ordersChoices.map((choice, index) => ({
  ...choice,
  GATEWAYS: gatewayChoices[index % gatewayChoices.length] ?? "2",
}));

/** Parts that a choice leaves out. */
function without({ BROKER, CONSUMER, GATEWAYS }: (typeof choices)[number]): string[] {
  return [
    ...(GATEWAYS === "1" ? ["bidding-balancer", "bidding-gateway-2"] : []),
    ...(BROKER === "bullmq" ? ["emulator"] : []),
    ...(CONSUMER === "lambda" ? ["orders-processor"] : []),
  ];
}

for (const choice of choices) {
  for (const chosen of combinations([...profiles, "all"])) {
    t.test(`${Object.values(choice).join(", ")}, profiles ${chosen.join(" and ")}`, async (t) => {
      const { services } = await configOf(chosen, { ...choice, LAB_DIR: "/some/lab" });
      const names = [...new Set(chosen.flatMap((profile) => expected[profile] ?? []))]
        .filter((name) => !without(choice).includes(name))
        .sort();
      t.same(Object.keys(services).sort(), names, "runs what the profiles name");
      for (const [name, service] of Object.entries(services)) {
        t.test(name, async (t) => {
          const behind = choice.GATEWAYS === "2" && name.startsWith("bidding-gateway-");
          t.equal(service.ports.length, behind ? 0 : 1, behind ? "is not published" : "is published");
          for (const port of service.ports) t.equal(port.host_ip, "127.0.0.1", "on this machine alone");
          t.match(service.healthcheck.test[0], /^CMD(-SHELL)?$/, "has a health check");
          t.match(service.security_opt, ["no-new-privileges:true"]);
          // MiniStack runs functions, each a process of its own, inside its container.
          const room = name === "emulator" && choice.EMULATOR === "ministack" ? 3 : 1;
          t.ok(Number(service.mem_limit) <= room * 2 ** 30, `has a memory limit of at most ${room} GiB`);
          t.ok(service.cpus <= 2, "has a processor limit");
          t.ok(service.pids_limit <= (room > 1 ? 1024 : 512), "has a limit of processes");
          t.same(Object.keys(service.logging.options).sort(), ["max-file", "max-size"], "has bounded logs");
          t.equal(service.labels["parallax.lab"], "/some/lab", "says whose it is");
          t.notMatch(service.image, /:latest$|^[^:]+$(?<!parallax\/\w+)/, "names a version");
          for (const { type, source, read_only } of service.volumes) {
            const own = type === "bind" && read_only && source.startsWith(join(rootDir, "compose"));
            t.ok(type === "volume" || own, "sees no file of the host, but its own configuration");
          }
          const kind = /^(orders|bidding)-(?!balancer)/.test(name) ? "service" : "engine";
          t.equal(service.labels["parallax.kind"], kind);
          if (kind === "service") assertHardened(t, service);
          else assertEngine(t, name, service);
        });
      }
    });
  }
}

function assertHardened(t: Test, service: z.output<typeof serviceSchema>): void {
  t.equal(service.user, "1000:1000", "is not root");
  t.equal(service.read_only, true, "cannot write");
  t.match(service.tmpfs?.[0], /^\/tmp:size=16m.*noexec/, "but to a small /tmp");
  t.same(service.cap_drop, ["ALL"], "has no capability");
  t.equal(service.init, true);
  t.equal(service.restart, "unless-stopped");
  t.equal(service.pull_policy, "never");
  t.same(service.volumes, []);
  const grace = Number(service.environment.SHUTDOWN_GRACE_SECONDS);
  const patience = Number(/^(\d+)s$/.exec(service.stop_grace_period)?.[1]);
  t.ok(
    grace > 0 && patience > grace,
    `is given ${patience} s to drain, of which it takes ${grace} at the most`,
  );
  t.ok(
    Object.values(service.depends_on).every(({ condition }) => condition === "service_healthy"),
    "waits for healthy engines",
  );
}

function assertEngine(t: Test, name: string, service: z.output<typeof serviceSchema>): void {
  t.equal(service.restart, "no", "is not started again behind a person's back");
  if (writableEngines.has(name)) return;
  t.ok(service.user !== undefined && !/^(root|0)/.test(service.user), "is not root");
  t.equal(service.read_only, true, "writes to its volume only");
  t.same(service.cap_drop, ["ALL"]);
}

t.test("the default images are those of the catalogue", async (t) => {
  const text = (await Promise.all(emulators.map((EMULATOR) => configOf(["all"], { EMULATOR }))))
    .map(({ text }) => text)
    .join();
  for (const { official } of Object.values(backingImages)) t.match(text, `"image": "${official}"`);
  t.match(text, `"NODE_IMAGE": "${nodeBase.official}"`);
});

t.test("every image and every port is a variable", async (t) => {
  const images = Object.fromEntries(
    Object.values(backingImages).map(({ variable }, n) => [variable, `mine/image:${n}`]),
  );
  const ports = Object.fromEntries(portVariables.map((name, n) => [name, String(20_000 + n)]));
  for (const emulator of emulators) {
    const { text, services } = await configOf(["all"], {
      ...images,
      ...ports,
      EMULATOR: emulator,
      ORDERS_IMAGE: "mine/orders:1",
      BIDDING_IMAGE: "mine/bidding:1",
    });
    for (const [name, { image }] of Object.entries(services))
      t.match(image, /^mine\//, `${name} runs ${image}`);
    for (const part of partsOf(text).filter(({ port }) => port !== null)) {
      t.equal(String(part.port), ports[part.portVariable ?? ""], `${part.name} is at ${part.portVariable}`);
    }
  }
});

t.test("services know the broker that they use, and whom they are to wait for", async (t) => {
  const clients = ["orders-receiver", "orders-processor"];
  const { services } = await configOf(["orders"], { SYNC_ABANDON: "keep" });
  for (const name of clients) {
    t.match(services[name]?.environment, { BROKER: "sns-sqs", AWS_ENDPOINT_URL: /emulator/ }, name);
    t.match(services[name]?.environment, { REDIS_URL: "redis://redis:6379", PAYMENTS_URL: /payments/ }, name);
    t.same(Object.keys(services[name]?.depends_on ?? {}).sort(), ["emulator", "postgres", "redis"], name);
  }
  t.match(services["orders-receiver"]?.environment, { CONSUMER: "workers", SYNC_ABANDON: "keep" });

  const bullmq = await configOf(["orders"], { BROKER: "bullmq" });
  for (const name of clients) {
    t.match(bullmq.services[name]?.environment, { BROKER: "bullmq", REDIS_URL: "redis://redis:6379" }, name);
    t.same(Object.keys(bullmq.services[name]?.depends_on ?? {}).sort(), ["postgres", "redis"], name);
  }
  t.notMatch(bullmq.text, /AWS_|emulator/, "a lab without any AWS API");

  const lambda = await configOf(["orders"], { EMULATOR: "ministack", CONSUMER: "lambda" });
  t.match(lambda.services["orders-receiver"]?.environment, { CONSUMER: "lambda" });
});

t.test("Redis keeps what a queue holds", async (t) => {
  const { services } = await configOf(["orders"]);
  const command = services.redis?.command?.join(" ");
  t.match(command, "--appendonly yes");
  t.match(command, "--appendfsync everysec");
  t.match(command, "--maxmemory-policy noeviction");
});

t.test("bids go to the load balancer, or to the only gateway", async (t) => {
  const services = async (GATEWAYS: string) => (await configOf(["bidding"], { GATEWAYS })).services;
  const two = await services("2");
  t.match(two["bidding-balancer"]?.ports, [{ published: "8081" }]);
  t.match(two["bidding-broadcaster"]?.environment, { GATEWAY_URL: "http://bidding-balancer:8081" });
  const { ports: _, ...first } = two["bidding-gateway-1"] ?? {};
  const { ports: __, ...second } = two["bidding-gateway-2"] ?? {};
  t.same(first, second, "gateways are alike");
  const one = await services("1");
  t.match(one["bidding-gateway-1"]?.ports, [{ published: "8081" }]);
  t.match(one["bidding-broadcaster"]?.environment, { GATEWAY_URL: "http://bidding-gateway-1:8081" });
});

t.test("orders and bidding share Postgres and Redis, and nothing else", async (t) => {
  const [some, others] = await Promise.all(
    profiles.map(async (profile) => Object.keys((await configOf([profile])).services)),
  );
  t.same(some?.filter((name) => others?.includes(name)).sort(), ["postgres", "redis"]);
});

t.test("without a password it says where one comes from", async (t) => {
  const { code, stderr } = await compose(["orders"], { POSTGRES_PASSWORD: "" });
  t.not(code, 0);
  t.match(stderr, /POSTGRES_PASSWORD.*make up/);
});

t.test("no account token is there unless one is given", async (t) => {
  const { services } = await configOf(["orders"]);
  t.equal(services.emulator?.environment.LOCALSTACK_AUTH_TOKEN, "");
  const given = await configOf(["orders"], { LOCALSTACK_AUTH_TOKEN: "ls-token" });
  t.equal(given.services.emulator?.environment.LOCALSTACK_AUTH_TOKEN, "ls-token");
});
