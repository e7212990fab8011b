/** Writes every fifth line in another form than the lab reads. */

import exec from "k6/execution";
import http from "k6/http";
import { record, timed } from "../../../loadtests/lib/answers.ts";
import { environment } from "../../../loadtests/lib/environment.ts";
import { handleSummary, options, setup } from "./get.ts";

export { handleSummary, options, setup };

const { baseUrl } = environment();

export default function getAndReorder(): void {
  const answer = timed(() => http.get(`${baseUrl}/`));
  if (exec.scenario.iterationInTest % 5 > 0) record("get", "page", answer);
  else console.log(JSON.stringify({ id: "page", status: answer.response.status, ms: 1 }));
}
