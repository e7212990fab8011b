/** Parts as `docker compose config` describes them. */
import t from "tap";
import { partsOf } from "../../../src/runtimes/compose/parts.ts";

const service = (kind: string, published: string) => ({
  image: "an/image:1",
  labels: { "parallax.kind": kind },
  ports: [{ published, target: 1, host_ip: "127.0.0.1" }],
});

t.test("engines come first; URLs name the port that is published", async (t) => {
  const services = {
    "orders-receiver": service("service", "8080"),
    redis: service("engine", "6379"),
    postgres: service("engine", "15432"),
  };
  t.match(partsOf(JSON.stringify({ services })), [
    { name: "postgres", url: "postgres://127.0.0.1:15432/parallax", portVariable: "POSTGRES_PORT" },
    { name: "redis", url: "redis://127.0.0.1:6379", kind: "engine" },
    { name: "orders-receiver", url: "http://127.0.0.1:8080", port: 8080, kind: "service" },
  ]);
});

t.test("what has no port on this machine is a part without one", async (t) => {
  const { ports: _, ...gateway } = service("service", "0");
  const [part] = partsOf(JSON.stringify({ services: { "bidding-gateway-2": gateway } }));
  t.match(part, { name: "bidding-gateway-2", port: null, url: null, portVariable: undefined });
});

t.test("files that make no parts are refused", async (t) => {
  const nameless = { services: { x: { image: "a", ports: [], labels: {} } } };
  t.throws(() => partsOf(JSON.stringify(nameless)), { code: "COMMAND_FAILED", remedy: /parallax\.kind/ });
  t.throws(() => partsOf("no JSON"), { code: "COMMAND_FAILED" });
});
