import t from "tap";
import { createMetrics } from "../../src/index.ts";
import { memoryLogger } from "../helpers.ts";

t.test("a line is JSON with the service's name, a level in words and an ISO time", async (t) => {
  const log = memoryLogger("info");
  log.logger.debug("not this one");
  log.logger.info({ order_id: "o-1" }, "hello");
  const [line, ...more] = log.lines();
  t.same(more, []);
  t.match(line, { name: "test", level: "info", msg: "hello", order_id: "o-1", pid: process.pid });
  t.equal(new Date(String(line?.time)).toISOString(), line?.time);
});

t.test("metrics of two services share a process without meeting", async (t) => {
  const [one, two] = [createMetrics("one"), createMetrics("two")];
  one.counter("orders_total", "Orders.", ["kind"]).inc({ kind: "a" });
  two.counter("orders_total", "Orders.");
  let depth = 7;
  two.gauge("depth", "Depth.", () => depth);
  one.histogram("seconds", "Seconds.", { buckets: [1] }).observe(2);
  t.match(await one.registry.metrics(), /^orders_total\{kind="a",service="one"\} 1$/m);
  t.match(await one.registry.metrics(), /^seconds_bucket\{le="1",service="one"\} 0$/m);
  t.match(await two.registry.metrics(), /^depth\{service="two"\} 7$/m);
  depth = 8;
  t.match(await two.registry.metrics(), /^depth\{service="two"\} 8$/m, "read when asked for");
});
