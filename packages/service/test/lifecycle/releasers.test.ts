import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { Releasers } from "../../src/index.ts";

t.test("releases last-in first-out, each once, waiting for each", async (t) => {
  const order: string[] = [];
  const releasers = new Releasers();
  for (const name of ["database", "broker", "server"]) {
    const same = releasers.add(name, name, async (it) => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push(it);
    });
    t.equal(same, name, "the resource passes through");
  }
  const told: string[] = [];
  await releasers.release((what) => told.push(what));
  await releasers.release();
  t.same(order, ["server", "broker", "database"]);
  t.same(told, order);
});

t.test(
  "property: all run whichever fail, and the first failure is rethrown by name with its cause",
  async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 8 }), async (fails) => {
        const ran: number[] = [];
        const releasers = new Releasers();
        fails.forEach((fail, at) => {
          releasers.add(`part ${at}`, at, async () => {
            ran.unshift(at);
            if (fail) throw new Error(`cause ${at}`);
          });
        });
        const thrown = await releasers.release().then(
          () => undefined,
          (error: Error) => error,
        );
        const first = fails.lastIndexOf(true);
        assert.deepEqual(ran, [...fails.keys()]);
        assert.equal(thrown?.message, first < 0 ? undefined : `Releasing part ${first} failed`);
        assert.equal((thrown?.cause as Error | undefined)?.message, first < 0 ? undefined : `cause ${first}`);
      }),
    );
    t.pass();
  },
);

t.test("a synchronous throw counts as a failure, and `await using` releases", async (t) => {
  let released = false;
  const scope = async () => {
    await using releasers = new Releasers();
    releasers.add("good", 1, () => {
      released = true;
    });
    releasers.add("bad", 1, () => {
      throw new Error("no");
    });
  };
  await t.rejects(scope(), { message: "Releasing bad failed" });
  t.ok(released);
});

t.test("what is added while releasing is released too", async (t) => {
  const order: string[] = [];
  const releasers = new Releasers();
  releasers.add("outer", 1, () => {
    order.push("outer");
    releasers.add("inner", 1, () => order.push("inner"));
  });
  await releasers.release();
  t.same(order, ["outer", "inner"]);
});
