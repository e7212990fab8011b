/** Labs with two gateways behind a load balancer, with one, and without bidding. */

import t from "tap";
import { LabError } from "../../../src/cli/lab-error.ts";
import { atomicity } from "../../../src/experiments/bidding/atomicity.ts";
import { needsBidding } from "../../../src/experiments/bidding/needs.ts";
import { planRunOn } from "../../../src/experiments/plan-run.ts";
import type { Runtime } from "../../../src/runtimes/runtime.ts";

const lab = (...parts: string[]) =>
  ({
    endpoint(part: string) {
      if (!parts.includes(part)) throw new LabError("NO_SUCH_PART", `There is no part "${part}".`);
      return "http://127.0.0.1:1";
    },
  }) as Partial<Runtime> as Runtime;

t.test("each gateway that there is gets the experiment's variables", async (t) => {
  const variables = { BID_METHOD: "watch" };
  const variant = { parameters: { watch: 1 }, services: {} };
  const two = await planRunOn(lab("bidding-balancer"), atomicity, { variant });
  t.same(two.services, { "bidding-gateway-1": variables, "bidding-gateway-2": variables });
  const one = await planRunOn(lab("bidding-gateway-1"), atomicity, { variant });
  t.same(one.services, { "bidding-gateway-1": variables });
  const script = await planRunOn(lab("bidding-gateway-1"), atomicity);
  t.same(script.services, { "bidding-gateway-1": { BID_METHOD: "script" } });
});

t.test("a lab without bidding is told so, and one that does not run is told that", async (t) => {
  await t.resolves(needsBidding(lab("bidding-broadcaster")));
  await t.rejects(needsBidding(lab("orders-receiver")), { code: "USAGE", remedy: /PROFILE=bidding/ });
  const down = {
    endpoint() {
      throw new LabError("NOT_RUNNING", "The lab is not running.");
    },
  };
  await t.rejects(needsBidding(down), { code: "NOT_RUNNING" });
});
