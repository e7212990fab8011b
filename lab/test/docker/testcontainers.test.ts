import t from "tap";
import { testcontainersEnvironment } from "../../src/docker/testcontainers.ts";

const host = "unix:///var/run/docker.sock";

t.test("Testcontainers uses the engine that was found, without its helper container", async (t) => {
  t.same(testcontainersEnvironment({}, host), {
    DOCKER_HOST: host,
    TESTCONTAINERS_RYUK_DISABLED: "true",
    TESTCONTAINERS_HOST_OVERRIDE: "127.0.0.1",
  });
});

t.test("what the user has set stays; an empty variable is not set", async (t) => {
  const user = { TESTCONTAINERS_RYUK_DISABLED: "false", TESTCONTAINERS_HOST_OVERRIDE: "", DOCKER_HOST: host };
  t.same(testcontainersEnvironment(user, host), { TESTCONTAINERS_HOST_OVERRIDE: "127.0.0.1" });
});
