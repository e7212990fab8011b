import { ConfigError } from "@parallax/service";
import t from "tap";
import { archiverConfig } from "../../src/archiver/config.ts";

const needed = {
  REDIS_URL: "redis://127.0.0.1:6379",
  NATS_URL: "nats://127.0.0.1:4222",
  DATABASE_URL: "postgres://127.0.0.1:5432/parallax",
};

t.test("what has to be said, and what it is otherwise", async (t) => {
  t.match(archiverConfig(needed), {
    ...needed,
    PORT: 8083,
    ARCHIVE_BATCH: 1000,
    ARCHIVE_WAIT_MS: 50,
    RETENTION_SECONDS: 86_400,
    DEDUPE_WINDOW_SECONDS: 120,
  });
});

t.test("all that is wrong is told at once", async (t) => {
  const wrong = {
    ...needed,
    NATS_URL: "http://127.0.0.1",
    ARCHIVE_BATCH: "0",
    ARCHIVE_WAIT_MS: "soon",
    RETENTION_SECONDS: "-1",
    DEDUPE_WINDOW_SECONDS: "",
  };
  const error = t.throws(() => archiverConfig(wrong), ConfigError) as unknown as ConfigError;
  const named = error.problems.map((problem) => problem.split(":")[0]);
  t.same(named.toSorted(), ["ARCHIVE_BATCH", "ARCHIVE_WAIT_MS", "NATS_URL", "RETENTION_SECONDS"]);
});
