/** A broker that is too busy to take connections for a moment is waited for, not reported as out. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { PublishCommand } from "@aws-sdk/client-sns";
import t from "tap";
import { snsClient } from "../src/sns-sqs/clients.ts";

/** With room for a few connections in line, it takes none for half a second, then answers everything. */
const busyServer = `
  const server = require("node:http").createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(400, { connection: "close" }).end());
  });
  server.listen({ host: "127.0.0.1", port: 0, backlog: 8 }, () => process.send(server.address().port));
  process.on("message", () => {
    process.send("busy");
    const until = Date.now() + 500;
    setTimeout(() => { while (Date.now() < until); }, 0);
  });`;

t.test("connections that find the line full are made when there is room", async (t) => {
  const child = fork("-e", [busyServer], { execArgv: [], stdio: "ignore" });
  t.teardown(() => child.kill("SIGKILL"));
  const [port] = await once(child, "message");
  const client = snsClient(
    {
      region: "us-west-2",
      endpoint: `http://127.0.0.1:${port}`,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    },
    5000,
    1,
  );
  t.teardown(() => client.destroy());
  child.send("be busy");
  await once(child, "message");
  const command = () =>
    new PublishCommand({ TopicArn: "arn:aws:sns:us-west-2:000000000000:t", Message: "m" });
  const ends = await Promise.all(
    Array.from({ length: 15 }, () =>
      client.send(command()).then(
        () => "answered",
        (error: Error & { $metadata?: { httpStatusCode?: number } }) =>
          error.$metadata?.httpStatusCode === 400 ? "answered" : error.message,
      ),
    ),
  );
  t.same([...new Set(ends)], ["answered"]);
});
