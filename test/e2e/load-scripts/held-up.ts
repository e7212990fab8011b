/** Is held up before it sends, as by a generator that does not get round to its users. */

import { sleep } from "k6";
import http from "k6/http";
import { record, timed } from "../../../loadtests/lib/answers.ts";
import { environment } from "../../../loadtests/lib/environment.ts";
import { handleSummary, options, setup } from "./get.ts";

export { handleSummary, options, setup };

const { baseUrl } = environment();

export default function getLate(): void {
  const late = timed(() => {
    sleep(0.1);
    return http.get(`${baseUrl}/`);
  });
  record("get", "page", late);
}
