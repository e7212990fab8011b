/** The least that can be under load: answers every POST with 202 and the order_id that it was sent. Prints its URL. */

import { createServer } from "node:http";

const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (part: string) => {
    body += part;
  });
  request.on("end", () => {
    const id = /"order_id":"([^"]*)"/.exec(body)?.[1] ?? "";
    response.writeHead(202, { "content-type": "application/json" });
    response.end(`{"order_id":"${id}"}`);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") console.log(`http://127.0.0.1:${address.port}`);
});
