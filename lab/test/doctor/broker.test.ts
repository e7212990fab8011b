/** What carries queued orders, and what is not looked at because of it. */
import { createServer } from "node:net";
import t from "tap";
import { checkBroker } from "../../src/doctor/broker.ts";
import type { Examination } from "../../src/doctor/examination.ts";
import { checkLocalStack } from "../../src/doctor/localstack.ts";
import { checkPorts } from "../../src/doctor/ports.ts";
import { type RuntimeName, settingsFromEnv } from "../../src/settings.ts";
import { freePort } from "../../src/util/ports.ts";

const about = (runtime: RuntimeName, env: Record<string, string>) =>
  checkBroker({ runtime, settings: settingsFromEnv(env, "/") });

t.test("each combination says what carries orders, and who takes them", async (t) => {
  t.match(about("process", {}), [{ state: "ok", found: "SNS and SQS on fauxqs, to workers" }]);
  t.match(about("compose", {}), [{ state: "ok", found: "SNS and SQS on localstack, to workers" }]);
  t.match(about("process", { BROKER: "bullmq" }), [{ state: "ok", found: /BullMQ on Redis.*no emulator/ }]);
  const lambda = { CONSUMER: "lambda", EMULATOR: "ministack" };
  t.match(about("compose", lambda), [{ state: "ok", found: "SNS on ministack, to a Lambda function" }]);
  t.match(about("process", lambda), [{ state: "fail", found: /needs containers/, fix: /CONSUMER=workers/ }]);
});

t.test("with BullMQ nothing of the emulator is asked for", async (t) => {
  const token = { LOCALSTACK_IMAGE: "localstack/localstack:2026.3.0", BROKER: "bullmq" };
  t.match(checkLocalStack({ settings: settingsFromEnv(token, "/") }), [{ state: "ok", found: /not used/ }]);

  const port = await freePort();
  const holder = createServer().listen(port, "127.0.0.1");
  t.teardown(() => holder.close());
  const emulatorPort = async (env: Record<string, string>) => {
    const examination = {
      settings: settingsFromEnv({ EMULATOR_PORT: String(port), ...env }, "/"),
      status: { runtime: "process", state: "stopped", profiles: [], since: null, parts: [] },
      engine: { usable: false },
    } as unknown as Examination;
    return (await checkPorts(examination)).find(({ check }) => check === `port ${port}`);
  };
  t.match(await emulatorPort({}), { state: "fail" });
  t.match(await emulatorPort({ BROKER: "bullmq" }), { state: "ok", found: /not needed with BROKER=bullmq/ });
});
