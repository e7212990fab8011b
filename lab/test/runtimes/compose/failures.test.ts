/** What the docker command prints becomes an error that says what to do. */
import t from "tap";
import { explainDockerFailure, isEngineGone } from "../../../src/runtimes/compose/failures.ts";

const failed = (stderr: string) => explainDockerFailure("docker compose up", { code: 1, stdout: "", stderr });

const cases = [
  ["write /var/lib/docker/x: no space left on device", "PREREQUISITE_MISSING", /disk/, /docker system/],
  [
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    "NOT_RUNNING",
    /stopped answering/,
    /make engine/,
  ],
  [
    "Error response from daemon: driver failed programming external connectivity: Bind for 127.0.0.1:5432 failed: port is already allocated",
    "PORT_TAKEN",
    /port/i,
    /make doctor/,
  ],
  [
    "Error response from daemon: No such image: redis:8.0.3-alpine",
    "PREREQUISITE_MISSING",
    /image/,
    /make images/,
  ],
  [
    "Error response from daemon: Range of CPUs is from 0.01 to 1.00, as there are only 1 CPUs available",
    "PREREQUISITE_MISSING",
    /processors/,
    /Docker/,
  ],
  [
    "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
    "PREREQUISITE_MISSING",
    /may not speak/,
    /make doctor/,
  ],
  ["something that nobody has seen before", "COMMAND_FAILED", /docker compose up/, /make doctor/],
] as const;

for (const [stderr, code, message, remedy] of cases) {
  t.test(stderr, async (t) => {
    const error = failed(stderr);
    t.match(error, { code, message, remedy });
    t.match(error.detail, [stderr], "what it printed is shown");
  });
}

t.test("of a long output the end is shown", async (t) => {
  const lines = Array.from({ length: 100 }, (_, n) => `line ${n}`);
  t.equal(failed(lines.join("\n")).detail.at(-1), "line 99");
  t.ok(failed(lines.join("\n")).detail.length < 20);
});

t.test("an engine that is gone is told from one that refuses", async (t) => {
  t.ok(isEngineGone(Object.assign(new Error("x"), { code: "ECONNREFUSED" })));
  t.notOk(isEngineGone(Object.assign(new Error("x"), { statusCode: 500 })));
});
