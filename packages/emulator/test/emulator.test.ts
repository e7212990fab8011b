import t from "tap";
import { startEmulator } from "../src/index.ts";

t.test("listens on the loopback address only", async (t) => {
  await using emulator = await startEmulator();
  t.match(emulator.endpoint, /^http:\/\/127\.0\.0\.1:\d+$/);
});

t.test("queue URLs name the host that the caller used", async (t) => {
  await using emulator = await startEmulator();
  const answer = await fetch(emulator.endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.CreateQueue" },
    body: JSON.stringify({ QueueName: "q" }),
  });
  t.match(await answer.json(), { QueueUrl: `${emulator.endpoint}/000000000000/q` });
});
