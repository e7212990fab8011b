/** Answers after a few milliseconds in which it computes nothing: another service on the same network. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const DELAY_MS = Number(process.argv[2] ?? 5);

const server = createServer((request, response) => {
  request.resume();
  setTimeout(
    () => response.writeHead(200, { "content-type": "application/json" }).end('{"ok":true}'),
    DELAY_MS,
  );
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
