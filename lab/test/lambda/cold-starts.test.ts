/** New environments, one for each order that is to meet one, and no more. */

import { LambdaClient, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { makeColdStarts } from "../../src/lambda/cold-starts.ts";

/** A Lambda that keeps one function's variables, and every change of them. */
function fakeLambda(fail: () => boolean = () => false) {
  const marks: string[] = [];
  let variables: Record<string, string | undefined> = { KEPT: "as it was" };
  const client = new LambdaClient({ region: "us-west-2" });
  client.send = (async (command: object) => {
    if (fail()) throw new Error("Lambda is away");
    if (command instanceof UpdateFunctionConfigurationCommand) {
      variables = { ...command.input.Environment?.Variables };
      if (variables.COLD_START !== undefined) marks.push(variables.COLD_START);
    }
    return {
      Environment: { Variables: variables },
      State: "Active",
      LastUpdateStatus: "Successful",
      // What the waiter looks at.
      Configuration: { State: "Active", LastUpdateStatus: "Successful" },
    };
  }) as unknown as typeof client.send;
  return { client, marks, variables: () => variables };
}

const options = { functionName: "f", pollMs: 5 };

t.test("before the first order, and after each but the last", async (t) => {
  const { client, marks, variables } = fakeLambda();
  let ended = 0;
  await using cold = await makeColdStarts({ ...options, client, orders: 3, invocations: async () => ended });
  t.equal(marks.length, 1, "the first order will be one");
  for (const expected of [2, 3]) {
    ended += 1;
    await waitFor("a new environment", () => marks.length === expected);
  }
  ended += 1;
  t.match(variables(), { KEPT: "as it was", COLD_START: /-2$/ });
  await cold[Symbol.asyncDispose]();
  t.equal(marks.length, 3, "after the third order the environment stays");
  t.equal(new Set(marks).size, 3, "each change is one");
  t.same(variables(), { KEPT: "as it was" }, "and nothing is left of it");
  t.equal(cold.trouble, undefined);
});

t.test("one order needs one", async (t) => {
  const { client, marks } = fakeLambda();
  await using _cold = await makeColdStarts({ ...options, client, orders: 1, invocations: async () => 1 });
  t.equal(marks.length, 1);
});

t.test("a failure is told, and tried again", async (t) => {
  let failing = false;
  const { client, marks } = fakeLambda(() => failing);
  let ended = 0;
  await using cold = await makeColdStarts({ ...options, client, orders: 3, invocations: async () => ended });
  failing = true;
  ended = 1;
  await waitFor("the trouble to be told", () => cold.trouble !== undefined);
  t.match(cold.trouble, /away/);
  failing = false;
  await waitFor("the second environment", () => marks.length === 2);
});

t.test("a configuration that cannot be put back is told, and ends nothing", async (t) => {
  let failing = false;
  const { client, variables } = fakeLambda(() => failing);
  const told: string[] = [];
  const onLeftover = (text: string) => told.push(text);
  const rest = { ...options, client, orders: 1, invocations: async () => 0, onLeftover };
  const first = await makeColdStarts(rest);
  failing = true;
  await first[Symbol.asyncDispose]();
  t.match(told, [/^The function f keeps a variable of this run until the next "make up": Lambda is away$/]);
  failing = false;
  t.type(variables().COLD_START, "string");
  await (await makeColdStarts(rest))[Symbol.asyncDispose]();
  t.same(variables(), { KEPT: "as it was" }, "the next run takes out what is left");
  t.equal(told.length, 1);
});

t.test("its end does not wait for orders that never come", async (t) => {
  const { client, marks } = fakeLambda();
  const cold = await makeColdStarts({ ...options, client, orders: 50, invocations: async () => 0 });
  await cold[Symbol.asyncDispose]();
  t.equal(marks.length, 1);
});
