/** Which systems a command wants to find, or starts. */
import t from "tap";
import { systemsFor } from "../../src/commands/with-lab.ts";
import { settingsFromEnv } from "../../src/settings.ts";

const wanted = (PROFILE: string, ...rest: [running: ("orders" | "bidding")[], needs?: string[]]) =>
  systemsFor(settingsFromEnv({ PROFILE }, "/"), ...rest);

t.test("where none runs, those of PROFILE are started, and what is needed", async (t) => {
  t.same(wanted("", []), ["orders", "bidding"]);
  t.same(wanted("bidding", []), ["bidding"]);
  t.same(wanted("", [], ["orders"]), ["orders", "bidding"], "as by make up");
  t.same(wanted("orders", [], ["bidding"]), ["orders", "bidding"]);
});

t.test("a lab that runs will do as it is, unless what is named or needed is not in it", async (t) => {
  t.same(wanted("", ["orders"]), ["orders"]);
  t.same(wanted("", ["orders"], ["orders"]), ["orders"]);
  t.same(wanted("", ["orders"], ["bidding"]), ["orders", "bidding"]);
  t.same(wanted("orders", ["orders", "bidding"]), ["orders"]);
  t.same(wanted("bidding", ["orders"]), ["bidding"]);
});
