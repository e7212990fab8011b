import t from "tap";
import { mayWatch } from "../../../src/broadcaster/live/origin.ts";

const allowed = ["https://auctions.example", "http://other.example:8080"];

t.test("who may watch", async (t) => {
  const rows: readonly [origin: string | undefined, host: string | undefined][] = [
    [undefined, "a.example"],
    [undefined, undefined],
    ["http://127.0.0.1:8082", "127.0.0.1:8082"],
    ["http://[::1]:8082", "[::1]:8082"],
    ["https://a.example", "a.example"],
    ["https://a.example", "a.example:443"],
    ["http://a.example:80", "a.example"],
    ["http://A.example", "a.EXAMPLE"],
    ["https://auctions.example", "a.example"],
    ["https://auctions.example:443", "a.example"],
    ["http://other.example:8080", undefined],
  ];
  for (const [origin, host] of rows) t.equal(mayWatch(origin, host, allowed), true, `${origin} at ${host}`);
});

t.test("who may not", async (t) => {
  const rows: readonly [origin: string, host: string | undefined][] = [
    ["http://evil.example", "a.example"],
    ["http://a.example:81", "a.example"],
    ["https://a.example", "a.example:80"],
    ["http://a.example.evil.example", "a.example"],
    ["http://evil.example/a.example", "a.example"],
    ["http://a.example@evil.example", "a.example"],
    ["http://auctions.example", "a.example"],
    ["http://other.example", "a.example"],
    ["null", "a.example"],
    ["null", "null"],
    ["", "a.example"],
    ["file://", "a.example"],
    ["ws://a.example", "a.example"],
    ["http://evil.example, http://a.example", "a.example"],
    ["http://evil.example", undefined],
    ["http://evil.example", "evil.example/../a.example b"],
  ];
  for (const [origin, host] of rows) t.equal(mayWatch(origin, host, allowed), false, `${origin} at ${host}`);
});
