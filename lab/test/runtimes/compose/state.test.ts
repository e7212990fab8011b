/** What `configure` lays over the compose files. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { labPaths } from "../../../src/paths.ts";
import {
  readComposeState,
  readOverrides,
  removeComposeState,
  writeComposeState,
  writeOverrides,
} from "../../../src/runtimes/compose/state.ts";

t.test("overrides are a compose file, and are read back", async (t) => {
  const paths = labPaths(t.testdir());
  t.same(readOverrides(paths), {});
  const overrides = { "orders-payments": { PAYMENT_SECONDS: "0.2", ODD: "$a $$b $c" } };
  writeOverrides(paths, overrides);
  t.same(readOverrides(paths), overrides);
  const file = JSON.parse(readFileSync(paths.composeOverrides, "utf8"));
  t.equal(
    file.services["orders-payments"].environment.ODD,
    "$$a $$$$b $$c",
    "Compose replaces nothing in it",
  );
});

t.test("no overrides are no file: Compose would refuse an empty one", async (t) => {
  const paths = labPaths(t.testdir());
  writeOverrides(paths, { "orders-payments": { A: "1" } });
  writeOverrides(paths, { "orders-payments": {} });
  t.notOk(existsSync(paths.composeOverrides));
  t.same(readOverrides(paths), {});
});

t.test("a state that makes no sense is none", async (t) => {
  const paths = labPaths(t.testdir({ "compose-state.json": '{"project": 3}' }));
  t.equal(readComposeState(paths), undefined);
  const state = {
    phase: "running" as const,
    project: "p",
    profiles: ["orders"],
    since: "now",
    parts: [],
    images: {},
  };
  writeComposeState(paths, state);
  t.same(readComposeState(paths), state);
  removeComposeState(paths);
  t.notOk(existsSync(join(paths.labDir, "compose-state.json")));
});
