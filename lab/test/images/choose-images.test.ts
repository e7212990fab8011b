/** Which image is chosen, with an engine and a registry that are only lists of names. */
import t from "tap";
import { chooseImages, missingImages, registryOf, type Wish } from "../../src/images/choose-images.ts";
import type { ImageSource, LocalImage } from "../../src/images/local-images.ts";
import type { PullOutcome } from "../../src/images/pull-image.ts";
import type { LabEvent } from "../../src/runtimes/runtime.ts";

const redis: Wish = {
  name: "redis",
  variable: "REDIS_IMAGE",
  named: undefined,
  official: "redis:8-alpine",
  packaged: "parallax/redis:8",
};
const nats: Wish = {
  name: "nats",
  variable: "NATS_IMAGE",
  named: undefined,
  official: "nats:2-alpine",
  packaged: "parallax/nats:2",
};
const unreachable: PullOutcome = { pulled: false, unreachable: true, reason: "no such host" };

function image(reference: string): LocalImage {
  return { reference, id: `sha256:${reference}`, digest: null, size: 1, labels: {}, layers: [] };
}

/** @param answers by reference: what pulling it ends with; not listed means that it is pulled */
function fakeSource(here: readonly string[], answers: Readonly<Record<string, PullOutcome>> = {}) {
  const local = new Set(here);
  const pulls: string[] = [];
  const source: ImageSource = {
    find: async (reference) => (local.has(reference) ? image(reference) : undefined),
    pull: async (reference) => {
      pulls.push(reference);
      const outcome = answers[reference] ?? { pulled: true };
      if (outcome.pulled) local.add(reference);
      return outcome;
    },
  };
  return { source, pulls };
}

async function choose(wishes: readonly Wish[], { source }: { source: ImageSource }) {
  const events: LabEvent[] = [];
  const signal = new AbortController().signal;
  const { chosen, missing } = await chooseImages(wishes, { source, signal, onEvent: (e) => events.push(e) });
  return { chosen: [...chosen.values()].map(({ reference }) => reference), missing, events };
}

t.test("what is here is used and nothing is pulled: the official one first", async (t) => {
  const both = fakeSource(["redis:8-alpine", "parallax/redis:8", "parallax/nats:2"]);
  const { chosen, missing, events } = await choose([redis, nats], both);
  t.same(chosen, ["redis:8-alpine", "parallax/nats:2"]);
  t.same(missing, []);
  t.same(both.pulls, []);
  t.same(events, []);
});

t.test("the official one is pulled when neither is here", async (t) => {
  const source = fakeSource([]);
  const { chosen, events } = await choose([redis], source);
  t.same(chosen, ["redis:8-alpine"]);
  t.match(events, [
    { kind: "begin", text: /redis:8-alpine/ },
    { kind: "done", text: /redis:8-alpine/ },
  ]);
});

t.test("the one that the user named is used, and no other in its place", async (t) => {
  const named = { ...redis, named: "example.org/redis:9" };
  const here = fakeSource(["example.org/redis:9", "redis:8-alpine"]);
  t.same((await choose([named], here)).chosen, ["example.org/redis:9"]);
  const denied: PullOutcome = { pulled: false, unreachable: false, reason: "access denied" };
  const refused = fakeSource(["redis:8-alpine", "parallax/redis:8"], { "example.org/redis:9": denied });
  const { chosen, missing } = await choose([named], refused);
  t.same(chosen, []);
  t.match(missing, [{ reference: "example.org/redis:9", reason: "access denied" }]);
});

t.test("a registry that cannot be reached is asked once, another registry all the same", async (t) => {
  const wishes = [
    redis,
    { ...nats, named: "example.org/nats:2" },
    { ...nats, name: "node", official: "node:26" },
  ];
  const source = fakeSource([], { "redis:8-alpine": unreachable, "node:26": unreachable });
  const { chosen, missing } = await choose(wishes, source);
  t.same(source.pulls, ["redis:8-alpine", "example.org/nats:2"]);
  t.same(chosen, ["example.org/nats:2"]);
  t.same(
    missing.map(({ reference }) => reference),
    ["redis:8-alpine", "node:26"],
  );
});

t.test("an image that the registry refuses does not keep the others away", async (t) => {
  const unknown: PullOutcome = { pulled: false, unreachable: false, reason: "manifest unknown" };
  const source = fakeSource([], { "redis:8-alpine": unknown });
  const { chosen, missing } = await choose([redis, nats], source);
  t.same(chosen, ["nats:2-alpine"]);
  t.equal(missing.length, 1);
});

t.test("the error names every image, its reason, and what to do", async (t) => {
  const error = missingImages([
    { wish: redis, reference: "redis:8-alpine", reason: "no such host" },
    { wish: { ...nats, named: "x/nats:1" }, reference: "x/nats:1", reason: "denied" },
  ]);
  t.equal(error.code, "PREREQUISITE_MISSING");
  t.match(error.message, "redis:8-alpine, x/nats:1");
  t.match(error.remedy, /"make images".*NATS_IMAGE/);
  t.match(error.detail.join("\n"), /redis: redis:8-alpine: no such host\nnats: x\/nats:1: denied/);
});

t.test("registries are told apart as Docker does", async (t) => {
  t.equal(registryOf("redis:8"), "docker.io");
  t.equal(registryOf("localstack/localstack:4"), "docker.io");
  t.equal(registryOf("localhost/redis"), "localhost");
  t.equal(registryOf("example.org:5000/redis"), "example.org:5000");
});
