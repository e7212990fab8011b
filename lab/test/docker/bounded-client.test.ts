import type { ServerResponse } from "node:http";
import { waitFor } from "@parallax/testkit";
import type Docker from "dockerode";
import t from "tap";
import { boundedClient } from "../../src/docker/bounded-client.ts";
import { isEngineGone } from "../../src/runtimes/compose/failures.ts";
import { startFakeEngine } from "./fake-engine.ts";

t.test("an engine that accepts a call and says nothing is given up", async (t) => {
  await using engine = await startFakeEngine(() => {});
  const client = boundedClient({ socketPath: engine.socket }, { lookMs: 20, changeMs: 20 });
  const calls = {
    "GET /containers/json": client.listContainers(),
    "GET /info": client.info(),
    "DELETE /containers/x": client.getContainer("x").remove(),
    "POST /networks/create": client.createNetwork({ Name: "n" }),
    "GET /containers/x/stats": client.getContainer("x").stats({ stream: true }),
  };
  for (const [asked, call] of Object.entries(calls)) {
    const error = await call.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    t.match(error, { code: "ETIMEDOUT", message: `did not answer ${asked} within 0.02 s` });
    t.ok(isEngineGone(error));
  }
  await engine.idle();
});

t.test("so is one that stops in the middle of an answer", async (t) => {
  await using engine = await startFakeEngine((_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).write("[");
  });
  const client = boundedClient({ socketPath: engine.socket }, { lookMs: 20, changeMs: 20 });
  await t.rejects(client.listContainers(), { code: "ETIMEDOUT" });
  await engine.idle();
});

t.test("a caller's own signal still ends a call", async (t) => {
  await using engine = await startFakeEngine(() => {});
  const client = boundedClient({ socketPath: engine.socket });
  const controller = new AbortController();
  const list = client.listContainers({ abortSignal: controller.signal });
  controller.abort();
  await t.rejects(list, { name: "AbortError" });
});

t.test("what takes long by its nature is not cut", async (t) => {
  const held: ServerResponse[] = [];
  await using engine = await startFakeEngine(({ url = "" }, response) => {
    // A stream begins at once and then has nothing to tell.
    if (url.includes("stream=true")) response.writeHead(200).flushHeaders();
    if (url !== "/info") held.push(response);
  });
  // Time enough for the stream to begin, however busy the machine is.
  const client = boundedClient({ socketPath: engine.socket }, { lookMs: 1_000, changeMs: 20 });
  const container = client.getContainer("x");
  const calls = [
    container.wait().then(String),
    container.stop({ t: 30 }).then(String),
    container.logs({ stdout: true, follow: true }).then(contentOf),
    client.getEvents().then(contentOf),
    container.stats({ stream: true }).then(contentOf),
  ];
  await waitFor("every call", () => held.length === calls.length);
  // A call that was made later is given up: their time has passed, too.
  await t.rejects(client.info(), { code: "ETIMEDOUT" });
  for (const response of held) response.end("done");
  t.same(
    await Promise.all(calls),
    calls.map(() => "done"),
  );
});

t.test("what the engine says is passed on", async (t) => {
  await using engine = await startFakeEngine(({ url }, response) => {
    if (url === "/containers/json") return response.end('[{"Id":"x"}]');
    return response.writeHead(404).end('{"message":"no such container"}');
  });
  const client: Docker = boundedClient({ socketPath: engine.socket });
  t.match(await client.listContainers(), [{ Id: "x" }]);
  await t.rejects(client.getContainer("x").inspect(), /no such container/);
});

async function contentOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const piece of stream) text += piece;
  return text;
}
