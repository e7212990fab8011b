import t from "tap";
import { mostOpenFiles } from "../../src/util/open-files.ts";

const limits = (soft: string, hard: string) =>
  [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max processes             95000                95001                processes ",
    `Max open files            ${soft.padEnd(20)} ${hard.padEnd(20)} files     `,
    "",
  ].join("\n");

t.test("the hard limit counts", async (t) => {
  t.equal(
    mostOpenFiles(() => limits("1024", "524288")),
    524_288,
  );
  t.equal(
    mostOpenFiles(() => limits("1024", "unlimited")),
    Number.POSITIVE_INFINITY,
  );
  t.equal(
    mostOpenFiles(() => ""),
    undefined,
    "another system",
  );
});

t.test("this process has one, where there is a /proc", async (t) => {
  const most = mostOpenFiles();
  t.ok(most === undefined || most >= 256, `${most}`);
});
