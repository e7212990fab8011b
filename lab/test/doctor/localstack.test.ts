import t from "tap";
import { checkLocalStack } from "../../src/doctor/localstack.ts";
import { settingsFromEnv } from "../../src/settings.ts";

t.test("LocalStack's token", async (t) => {
  const about = (env: Record<string, string>) => checkLocalStack({ settings: settingsFromEnv(env, "/") })[0];
  t.match(about({}), { state: "ok", found: /4\.14\.0, without an account token/ });
  t.match(about({ EMULATOR: "ministack" }), { state: "ok", found: /not used/ });
  const secret = "ls-secret-token";
  const newer = { LOCALSTACK_IMAGE: "localstack/localstack:2026.3.0", LOCALSTACK_AUTH_TOKEN: secret };
  const withToken = about(newer);
  t.match(withToken, { state: "ok", found: /with an account token/ });
  t.notMatch(JSON.stringify(withToken), secret);
  for (const image of [
    "localstack/localstack:2026.3.0",
    "localstack/localstack:4.14.1",
    "localstack/localstack",
    "localstack/localstack-pro:4.0.0",
    "localstack/localstack:2026",
  ]) {
    t.match(
      about({ LOCALSTACK_IMAGE: image }),
      { state: "fail", fix: /LOCALSTACK_AUTH_TOKEN.*EMULATOR=ministack/ },
      image,
    );
  }
  for (const image of ["localstack/localstack:4.9", "localhost:5000/localstack:4.14.0@sha256:0123"]) {
    t.match(about({ LOCALSTACK_IMAGE: image }), { state: "ok" }, image);
  }
  for (const image of ["mirror/localstack:ours", "localstack/localstack:4"]) {
    t.match(about({ LOCALSTACK_IMAGE: image }), { state: "warn", fix: /up to 4\.14\.0/ }, image);
  }
});
