/** How Testcontainers is to behave here, as environment variables. What the user has set stays. */

type Environment = Readonly<Record<string, string | undefined>>;

/** @param dockerHost as in DOCKER_HOST; Testcontainers does not follow the docker command's contexts */
export function testcontainersEnvironment(env: Environment, dockerHost: string): Record<string, string> {
  const wanted: Record<string, string> = {
    DOCKER_HOST: dockerHost,
    // Its helper is one more image to pull and a container with the engine's socket; test-resources.ts removes what is
    // left. Only exactly "true" counts.
    TESTCONTAINERS_RYUK_DISABLED: "true",
    // Ports are published there and nowhere else. Inside a container, Testcontainers would take the bridge's address.
    TESTCONTAINERS_HOST_OVERRIDE: "127.0.0.1",
  };
  return Object.fromEntries(Object.entries(wanted).filter(([name]) => (env[name] ?? "") === ""));
}
