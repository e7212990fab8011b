/** What the lab needs of this machine, looked at all at once; each subject is a file of its own beside this one. */
import { checkBroker } from "./broker.ts";
import { checkCompose } from "./compose.ts";
import { checkDotEnv } from "./dot-env.ts";
import { checkEngine } from "./engine.ts";
import { checkEngineDisk } from "./engine-disk.ts";
import { checkNats, checkPostgres, checkRedis } from "./engines.ts";
import type { Examination } from "./examination.ts";
import { bounded, type Finding, judgeFor } from "./finding.ts";
import { checkImages } from "./images.ts";
import { checkK6 } from "./k6.ts";
import { checkLocalStack } from "./localstack.ts";
import { checkNode } from "./node.ts";
import { checkPorts } from "./ports.ts";
import { checkDisk, checkMemory } from "./room.ts";
import { checkRuntime } from "./runtime.ts";

type Check = (examination: Examination) => Finding[] | Promise<Finding[]>;

/** In the order in which they are shown. */
const checks: readonly (readonly [name: string, check: Check])[] = [
  ["runtime", checkRuntime],
  ["broker", checkBroker],
  ["engine", checkEngine],
  ["compose", checkCompose],
  ["images", checkImages],
  ["localstack", checkLocalStack],
  ["engine disk", checkEngineDisk],
  ["disk", checkDisk],
  ["memory", checkMemory],
  ["ports", checkPorts],
  ["postgres", checkPostgres],
  ["redis", checkRedis],
  ["nats", checkNats],
  ["node", checkNode],
  ["k6", checkK6],
  [".env", checkDotEnv],
];

/** Never rejects. */
export async function checkMachine(examination: Examination): Promise<Finding[]> {
  const groups = await Promise.all(checks.map(([name, check]) => bounded(name, () => check(examination))));
  return judgeFor(examination.runtime, groups.flat());
}
