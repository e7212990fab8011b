/** NATS as the lab runs it: healthy, and able to keep a stream where it may write. */

import t from "tap";
import { ContainerSuite } from "../lib/containers.ts";
import { labDefinition } from "../lib/lab-definitions.ts";
import { NatsWire } from "../lib/nats-wire.ts";

const suite = await ContainerSuite.open(t);
const definition = await labDefinition("nats");
const nats = await suite.run("nats", definition);

t.test("its health check asks the server", async (t) => {
  const [kind, ...command] = definition.healthcheck.test;
  t.equal(kind, "CMD");
  t.equal((await nats.exec(command)).exitCode, 0);
  const elsewhere = command.map((word) => word.replace(":8222", ":8223"));
  t.not((await nats.exec(elsewhere)).exitCode, 0, "where nothing listens it fails");
});

t.test("what is published to a stream is kept in a file and read again", async (t) => {
  using client = await NatsWire.open(nats.port(4222));
  const ask = async (subject: string, body: unknown) =>
    JSON.parse(await client.request(subject, JSON.stringify(body)));
  const created = await ask("$JS.API.STREAM.CREATE.BIDS", {
    name: "BIDS",
    subjects: ["bids.*"],
    storage: "file",
    retention: "limits",
    num_replicas: 1,
  });
  t.notOk(created.error, JSON.stringify(created.error));
  for (const amount of [100, 120]) {
    t.match(await ask("bids.lamp", { amount }), { stream: "BIDS" });
  }
  const { message } = await ask("$JS.API.STREAM.MSG.GET.BIDS", { seq: 2 });
  t.equal(message.subject, "bids.lamp");
  t.same(JSON.parse(Buffer.from(message.data, "base64").toString()), { amount: 120 });
  const { output } = await nats.exec(["find", "/var/tmp/nats/jetstream", "-name", "*.blk"]);
  t.match(output, "/var/tmp/nats/jetstream");
});

t.test("what it keeps, it keeps in its volume, where no other user reads it", async (t) => {
  const { exitCode, output } = await nats.exec(["stat", "-c", "%u:%g %a", "/var/tmp/nats"]);
  t.equal(exitCode, 0);
  t.match(output, /^1000:1000 7[05]0/);
  t.not((await nats.exec(["touch", "/elsewhere"])).exitCode, 0);
  await nats.kill();
  await nats.start();
  using client = await NatsWire.open(nats.port(4222));
  const kept = JSON.parse(await client.request("$JS.API.STREAM.INFO.BIDS"));
  t.match(kept, { state: { messages: 2 } }, "a kill loses nothing of it");
});
