import t from "tap";
import { bounded, judgeFor } from "../../src/doctor/finding.ts";

t.test("a check that does not come back, or throws, is a warning", async (t) => {
  t.match(await bounded("slow", () => new Promise(() => {}), 20), [
    { check: "slow", state: "warn", found: "could not be found out: no answer within 0.02 s" },
  ]);
  const throws = () => {
    throw new Error("no");
  };
  t.match(await bounded("thrown", throws), [{ state: "warn", found: "could not be found out: no" }]);
  t.match(await bounded("rejected", () => Promise.reject(new Error("no"))), [{ state: "warn" }]);
});

t.test("what only the other runtime needs is no fault", async (t) => {
  const finding = { check: "x", state: "fail", found: "gone", fix: "Get it.", needed_by: "compose" } as const;
  t.same(judgeFor("compose", [finding]), [finding]);
  t.same(judgeFor("process", [finding]), [
    { check: "x", state: "ok", found: "gone; only RUNTIME=compose needs it", needed_by: "compose" },
  ]);
  const always = { check: "y", state: "fail", found: "gone" } as const;
  t.same(judgeFor("process", [always]), [always]);
});
