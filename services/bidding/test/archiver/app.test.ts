import { createMetrics, listen } from "@parallax/service";
import { silentLogger } from "@parallax/testkit";
import t from "tap";
import { createArchiverApp } from "../../src/archiver/app.ts";
import { createArchiverMetrics } from "../../src/archiver/metrics.ts";

t.test("it tells whether it is ready and what it has done, and answers nothing else", async (t) => {
  let nats = true;
  const metrics = createMetrics("bidding-archiver");
  createArchiverMetrics(metrics).archived.inc({ result: "inserted" }, 3);
  const app = createArchiverApp({
    logger: silentLogger(),
    metrics,
    readiness: [
      {
        name: "nats",
        async check() {
          if (!nats) throw Object.assign(new Error("no"), { code: "DEPENDENCY_UNAVAILABLE" });
        },
      },
    ],
  });
  const server = await listen(app.callback, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.close(0));
  const ask = async (path: string) => {
    const response = await fetch(`${server.url}${path}`);
    return { status: response.status, text: await response.text() };
  };
  t.match(await ask("/health/ready"), { status: 200, text: /"nats":"ok"/ });
  t.match(await ask("/metrics"), { status: 200, text: /bidding_archived_total\{.*\} 3/ });
  t.match(await ask("/openapi.json"), { status: 200, text: /@parallax\/bidding archiver/ });
  t.equal((await ask("/auctions")).status, 404);
  nats = false;
  app.drain();
  t.match(await ask("/health/ready"), { status: 503 });
});
