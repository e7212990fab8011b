import t from "tap";
import { findEngine, requireEngine } from "../../src/docker/engine.ts";
import { startFakeEngine } from "./fake-engine.ts";

t.test("an engine that is new enough can be used", async (t) => {
  await using engine = await startFakeEngine((_, response) => response.end('{"Version":"26.1.5"}'));
  const host = `unix://${engine.socket}`;
  t.match(await findEngine({ DOCKER_HOST: host }), { usable: true, engine: { host, version: "26.1.5" } });
});

t.test("what cannot be used is an answer, too, with a remedy", async (t) => {
  await using old = await startFakeEngine((_, response) => response.end('{"Version":"24.0.9"}'));
  await using other = await startFakeEngine((_, response) => response.end("{}"));
  const cases: [host: string, state: string, reason: RegExp][] = [
    ["http://", "misaddressed", /no address/],
    ["ssh://ada@far.example", "misaddressed", /behind ssh/],
    [`unix://${old.socket}`, "too-old", /version 24\.0\.9/],
    [`unix://${other.socket}`, "silent", /no Docker engine/],
    [`unix://${t.testdirName}/none`, "silent", /There is no engine at/],
  ];
  for (const [host, state, reason] of cases) {
    const found = await findEngine({ DOCKER_HOST: host });
    t.match(found, { usable: false, host, state, reason, remedy: /./ }, host);
  }
  await t.rejects(requireEngine({ DOCKER_HOST: "http://" }), { code: "PREREQUISITE_MISSING" });
});
