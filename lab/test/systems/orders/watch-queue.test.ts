/** Watching a queue while the lab and its broker come and go. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import { LabError } from "../../../src/cli/lab-error.ts";
import type { Runtime } from "../../../src/runtimes/runtime.ts";
import { type QueueReading, watchQueue } from "../../../src/systems/orders/watch-queue.ts";

const interval = 150;
const variables = {
  AWS_ENDPOINT_URL: "http://emulator:4566",
  AWS_ACCESS_KEY_ID: "id",
  AWS_SECRET_ACCESS_KEY: "secret",
};

interface Lab {
  state: "up" | "down";
  /** How the broker answers. */
  broker: "well" | "never";
  readonly opened: number;
  open(): Promise<Runtime>;
}

/** A lab whose emulator answers as SQS does: three orders wait, two are in hand. */
async function lab(t: Test): Promise<Lab> {
  const server = createServer((request, response) => {
    if (self.broker === "never") return;
    const called = String(request.headers["x-amz-target"]);
    const answer = called.endsWith("GetQueueUrl")
      ? { QueueUrl: `${url}/000000000000/queue` }
      : {
          Attributes: {
            ApproximateNumberOfMessages: "3",
            ApproximateNumberOfMessagesNotVisible: "2",
            ApproximateNumberOfMessagesDelayed: "0",
          },
        };
    response.setHeader("content-type", "application/x-amz-json-1.0").end(JSON.stringify(answer));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const runtime: Partial<Runtime> = {
    endpoint: () => url,
    async variables() {
      if (self.state === "down") throw new LabError("NOT_RUNNING", "The lab is not running.");
      return variables;
    },
  };
  const self = {
    state: "up" as Lab["state"],
    broker: "well" as Lab["broker"],
    opened: 0,
    async open() {
      self.opened += 1;
      return runtime as Runtime;
    },
  };
  return self;
}

t.test(
  "readings tell a lab that is down, a broker that is silent, and go on when both are back",
  async (t) => {
    const own = await lab(t);
    const done = new AbortController();
    // Each reading, and what is changed once it has been seen. Others in between are a matter of how busy the machine is.
    const story: [state: QueueReading["state"], change: Partial<Pick<Lab, "state" | "broker">>][] = [
      ["known", { state: "down" }],
      ["lab-down", { state: "up" }],
      ["known", { broker: "never" }],
      ["broker-away", { broker: "well" }],
      ["known", {}],
    ];
    const seen: QueueReading[] = [];
    const signal = AbortSignal.any([done.signal, AbortSignal.timeout(60_000)]);
    for await (const reading of watchQueue({ open: own.open, signal, interval })) {
      const [state, change] = story[seen.length] ?? [];
      if (reading.state !== state) continue;
      seen.push(reading);
      Object.assign(own, change);
      if (seen.length === story.length) done.abort();
    }
    t.equal(seen.length, story.length, "each was seen, in this order");
    t.match(seen[0], { broker: "sns-sqs", depth: { visible: 3, inFlight: 2, delayed: 0 } });
    t.match(seen[1], { reason: "The lab is not running.", error: { code: "NOT_RUNNING" } });
    t.match(seen[3], { broker: "sns-sqs", reason: /no answer for \d+\.\d s/ });
    t.equal(own.opened, 2, "the lab is looked for again after it was down, and not otherwise");
  },
);

t.test("a bounded watch ends by itself, one that is interrupted at once", async (t) => {
  const own = await lab(t);
  const readings = await Array.fromAsync(
    watchQueue({ open: own.open, signal: new AbortController().signal, count: 3, interval }),
  );
  t.equal(readings.length, 3);
  const spacing = Number(readings[2]?.at) - Number(readings[0]?.at);
  t.ok(spacing >= 1.5 * interval, `two intervals lie between the first and the third, here ${spacing} ms`);
  t.same(await Array.fromAsync(watchQueue({ open: own.open, signal: AbortSignal.abort() })), []);
});
