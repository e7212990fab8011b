/** Which systems a command wants to find, or starts. */
import t from "tap";
import { systemsFor, systemsRunning } from "../../src/commands/systems-for.ts";
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

t.test("PROFILE=all that was given means all, also where a part of it runs", async (t) => {
  t.same(wanted("all", ["orders"]), ["orders", "bidding"]);
  t.same(wanted("orders,bidding", ["orders"]), ["orders", "bidding"]);
});

t.test("of a lab that is stopped or has failed no system runs", async (t) => {
  const profiles = ["bidding"];
  for (const state of ["running", "degraded", "starting"] as const) {
    t.same(systemsRunning({ state, profiles }), ["bidding"], state);
  }
  for (const state of ["stopped", "failed"] as const) t.same(systemsRunning({ state, profiles }), [], state);
});
