/** Writes made-up answers to a file, as k6 would, 100,000 a second: answers.ts <file> <how many>. */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const [, , file = "", count = "0"] = process.argv;
const stream = createWriteStream(file, { highWaterMark: 1 << 20 });
let seed = 1;
/** A linear congruential generator: the same answers every time. */
const random = () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};
const began = Date.now();
for (let n = 0; n < Number(count); ) {
  let block = "";
  for (let i = 0; i < 500 && n < Number(count); i += 1, n += 1) {
    const ms = 2 + random() * 8;
    const status = n % 1000 === 0 ? 503 : 202;
    const id = `load-m1x2y3z4-load-${n}`;
    block += `{"at":${began + n},"wall_ms":${Math.round(ms)},"ms":${ms.toFixed(6)},"status":${status},"step":"load","op":"place","id":"${id}","answered_id":"${id}"}\n`;
  }
  // 500 take 5 ms.
  const ahead = began + n / 100 - Date.now();
  if (ahead > 5) await sleep(ahead);
  if (!stream.write(block)) await once(stream, "drain");
}
stream.end();
await once(stream, "close");
