/** The end of a function's log, and following it: each line once, whenever it is shown. */

import { CloudWatchLogsClient, type FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { functionLogs } from "../../src/lambda/function-logs.ts";

/** Keeps events, and gives those since a time in pages of two. */
function fakeLogs() {
  const events: { timestamp: number; message: string }[] = [];
  const state = { away: false, refused: 0 };
  const client = new CloudWatchLogsClient({ region: "us-west-2" });
  client.send = (async ({ input }: FilterLogEventsCommand) => {
    if (state.away) {
      state.refused += 1;
      throw new Error("away");
    }
    const since = events.filter(({ timestamp }) => timestamp >= (input.startTime ?? 0));
    const from = Number(input.nextToken ?? 0);
    return {
      events: since.slice(from, from + 2),
      ...(since.length > from + 2 && { nextToken: String(from + 2) }),
    };
  }) as unknown as typeof client.send;
  const write = (message: string, agoMs = 0) =>
    events.push({ timestamp: Date.now() - agoMs, message: `${message}\n` });
  return { client, state, write };
}

async function linesOf(source: AsyncIterable<string>, into: string[] = []): Promise<string[]> {
  for await (const line of source) into.push(line);
  return into;
}

t.test("the last lines, of the last hour", async (t) => {
  const { client, write } = fakeLogs();
  const { signal } = new AbortController();
  write("old", 2 * 3_600_000);
  for (const line of ["a", "b", "c", "d", "e"]) write(line, 60_000);
  const last = (tail: number) => linesOf(functionLogs(client, "f", { tail, follow: false, signal }));
  t.same(await last(2), ["d", "e"]);
  t.same(await last(0), []);
  t.same(await last(100), ["a", "b", "c", "d", "e"]);
});

t.test("logs that cannot be had at all are told", async (t) => {
  const { client, state } = fakeLogs();
  state.away = true;
  const options = { tail: 1, follow: true, signal: new AbortController().signal };
  await t.rejects(linesOf(functionLogs(client, "f", options)), /away/);
});

t.test(
  "following: each new line once, also one that is shown late, through an outage, until Ctrl-C",
  async (t) => {
    const { client, state, write } = fakeLogs();
    const over = new AbortController();
    const shown: string[] = [];
    write("before", 60_000);
    write("just now");
    const options = { tail: 1, follow: true, signal: over.signal, pollMs: 5 };
    const done = linesOf(functionLogs(client, "f", options), shown);
    const until = (line: string) => waitFor(line, () => shown.at(-1) === line);
    await until("just now");
    write("one");
    await until("one");
    state.away = true;
    write("two");
    state.away = false;
    await until("two");
    write("late", 3_000);
    await until("late");
    write("three");
    await until("three");
    over.abort();
    await done;
    t.same(shown, ["just now", "one", "two", "late", "three"]);
  },
);
