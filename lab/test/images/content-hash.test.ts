/** The same content has the same name, other content another one. */
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { contentHash, filesBelow } from "../../src/images/content-hash.ts";

t.test("the order of the parts does not matter", async (t) => {
  t.equal(contentHash({ a: "1", b: "2" }), contentHash({ b: "2", a: "1" }));
  t.match(contentHash({}), /^[0-9a-f]{12}$/);
  t.equal(contentHash({ a: "é" }), contentHash({ a: Buffer.from("é") }), "text counts as its bytes");
});

t.test("two sets of parts that differ have different names", async () => {
  const parts = fc.dictionary(fc.string({ maxLength: 4 }), fc.string({ maxLength: 4 }), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const same = JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
      return (contentHash(a) === contentHash(b)) === same;
    }),
  );
});

t.test("files are named by their path from the root, with slashes", async (t) => {
  const root = t.testdir({ kept: { inner: { "a.txt": "A" }, "b.txt": "B" }, other: { "c.txt": "C" } });
  const files = filesBelow(root, join("kept"));
  t.same(
    Object.entries(files)
      .map(([name, content]) => [name, Buffer.from(content).toString()])
      .sort(),
    [
      ["kept/b.txt", "B"],
      ["kept/inner/a.txt", "A"],
    ],
  );
});
