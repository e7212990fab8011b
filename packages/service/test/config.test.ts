import fc from "fast-check";
import t from "tap";
import { z } from "zod";
import { ConfigError, configure, fields, serviceVariables } from "../src/index.ts";

function problemsOf(schema: z.ZodObject, env: NodeJS.ProcessEnv): readonly string[] {
  try {
    configure(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error("The configuration was accepted");
}

t.test("typed values come out of text, and what is not asked for stays out", async (t) => {
  const schema = z.object({ PORT: fields.port(), RATE: fields.number({ min: 0, max: 9 }) });
  t.same(configure(schema, { PORT: "0", RATE: "2.5", HOME: "/root" }), { PORT: 0, RATE: 2.5 });
});

t.test("everything that is wrong is told at once, a line each, by the variable's name", async (t) => {
  const schema = z.object({
    PORT: fields.port(),
    DATABASE: fields.url(["postgres"]),
    WORKERS: fields.integer({ min: 1, max: 10 }),
    LEVEL: fields.logLevel(),
    FINE: z.string().default("fine"),
  });
  const problems = problemsOf(schema, { PORT: "http", DATABASE: "mysql://db", WORKERS: "11" });
  t.equal(problems.length, 4);
  t.match(problems[0], /^PORT: must be a whole number \(it is "http"\)$/);
  t.match(problems[1], /^DATABASE: must be a URL that begins with postgres:\/\/ /);
  t.match(problems[2], /^WORKERS: must be from 1 to 10 \(it is "11"\)$/);
  t.match(problems[3], /^LEVEL: .*\(it is not set\)$/);
  const error = new ConfigError(problems);
  for (const problem of problems) t.ok(error.message.includes(`\n  - ${problem}`));
});

t.test("an empty variable counts as absent", async (t) => {
  const schema = z.object({ ...serviceVariables, NEEDED: z.string() });
  t.equal(configure(schema, { HOST: "", NEEDED: "x" }).HOST, "127.0.0.1");
  t.match(problemsOf(schema, { NEEDED: "" }), [/^NEEDED: .*\(it is not set\)$/]);
});

t.test("secrets are never repeated, in the message or anywhere else a log would look", async (t) => {
  const names = [
    ...["DB_PASSWORD", "CLIENT_SECRET", "API_TOKEN", "AWS_ACCESS_KEY_ID", "DATABASE_URL", "REDISURL"],
    ...["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"],
  ];
  const schema = z.object(Object.fromEntries(names.map((name) => [name, fields.port()])));
  try {
    configure(schema, Object.fromEntries(names.map((name) => [name, "hunter2"])));
    t.fail("accepted");
  } catch (error) {
    t.ok(error instanceof ConfigError);
    t.notMatch((error as ConfigError).message, /hunter2/);
    t.notMatch(JSON.stringify((error as ConfigError).cause), /hunter2/);
    t.equal((error as ConfigError).problems.length, names.length);
  }
  const broker = z.object({ BROKER: z.enum(["redis"]) });
  const [problem] = problemsOf(broker, { BROKER: "redis://user:hunter2@host" });
  t.match(problem, /^BROKER: .*\(value not shown\)$/, "a URL, whatever its variable's name");
});

t.test("property: an integer is accepted exactly when it is whole and within its bounds", async (t) => {
  const bounds = fc
    .tuple(fc.integer(), fc.integer())
    .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
  const accepts = (field: z.ZodType, text: string) => field.safeParse(text).success;
  fc.assert(
    fc.property(bounds, fc.integer(), ({ min, max }, n) => {
      const field = fields.integer({ min, max });
      return (
        accepts(field, String(n)) === (n >= min && n <= max) &&
        accepts(field, String(min)) &&
        accepts(field, String(max)) &&
        !accepts(field, String(min - 1)) &&
        !accepts(field, String(max + 1)) &&
        !accepts(field, `${n}.5`)
      );
    }),
  );
  t.pass();
});

t.test("property: no text makes a number field yield anything but a number within its bounds", async (t) => {
  const text = fc.oneof(
    fc.string(),
    fc.double().map(String),
    fc.constantFrom("1e3", "0x10", " 1", "1 ", "+1", "١"),
  );
  fc.assert(
    fc.property(text, (value) => {
      for (const field of [fields.integer({ min: 0, max: 100 }), fields.number({ min: 0, max: 100 })]) {
        const parsed = field.safeParse(value);
        if (!parsed.success) continue;
        if (!/^-?\d+(\.\d+)?$/.test(value)) return false;
        if (!(parsed.data >= 0 && parsed.data <= 100)) return false;
      }
      return true;
    }),
  );
  t.pass();
});
