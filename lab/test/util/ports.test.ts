import { createServer } from "node:net";
import t from "tap";
import { freePort, isPortFree } from "../../src/util/ports.ts";

t.test("free ports differ, are free, and are none that an outgoing connection could take", async (t) => {
  const ports = await Promise.all(Array.from({ length: 50 }, freePort));
  t.equal(new Set(ports).size, ports.length);
  t.ok(ports.every((port) => port >= 10_000 && port < 30_000));
  const [port] = ports;
  t.equal(await isPortFree(port ?? 0), true);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  t.equal(await isPortFree(port ?? 0), false);
  await new Promise((resolve) => server.close(resolve));
});
