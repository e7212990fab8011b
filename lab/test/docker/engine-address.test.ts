import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { clientOptions, contextAddress } from "../../src/docker/engine-address.ts";

t.test("an address says how to reach the engine", async (t) => {
  const cases = {
    "unix:///run/my docker.sock": { socketPath: "/run/my docker.sock" },
    "npipe:////./pipe/docker_engine": { socketPath: "\\\\.\\pipe\\docker_engine" },
    "tcp://far.example": { protocol: "http", host: "far.example", port: 2375 },
    "tcp://[::1]:4000": { protocol: "http", host: "::1", port: "4000" },
    "http://far.example": { protocol: "http", host: "far.example", port: 80 },
    "tcp://far.example:2376": { protocol: "https", host: "far.example", port: "2376" },
    "https://far.example": { protocol: "https", host: "far.example", port: 443 },
  };
  for (const [host, options] of Object.entries(cases)) {
    t.match(clientOptions({ host }, { DOCKER_CONFIG: t.testdirName }), options, host);
  }
});

t.test("an address that is none is said to be none", async (t) => {
  for (const host of ["http://", "tcp://", "unix://", "ssh://", "tcp://a b", "docker", "ftp://far.example"]) {
    t.match(clientOptions({ host }, {}), { reason: host, remedy: /DOCKER_HOST/ }, host);
  }
});

t.test("an engine behind ssh is told how to be reached", async (t) => {
  const remedy = (host: string) => (clientOptions({ host }, {}) as { remedy: string }).remedy;
  t.match(remedy("ssh://ada@far.example:2222"), "docker.sock -p 2222 ada@far.example");
  t.match(remedy("ssh://far.example"), "docker.sock far.example");
});

t.test("certificates are those of DOCKER_CERT_PATH", async (t) => {
  const directory = t.testdir();
  const env = { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: directory };
  const address = { host: "tcp://far.example" };
  t.match(clientOptions(address, env), { reason: /cannot be read.*ca\.pem/, remedy: /DOCKER_CERT_PATH/ });
  for (const name of ["ca", "cert", "key"]) writeFileSync(join(directory, `${name}.pem`), name);
  t.match(clientOptions(address, env), {
    protocol: "https",
    port: 2376,
    ca: Buffer.from("ca"),
    cert: Buffer.from("cert"),
    key: Buffer.from("key"),
  });
});

t.test("a context is followed; one with certificates of its own cannot be", async (t) => {
  const described = (context: object) => contextAddress("far", JSON.stringify(context));
  const Endpoints = { docker: { Host: "tcp://far.example:2376", SkipTLSVerify: false } };
  const host = "tcp://far.example:2376";
  t.same(described({ Endpoints, TLSMaterial: {} }), { host });
  t.same(described({}), undefined);
  t.same(contextAddress("far", "no such context"), undefined);
  const secure = described({ Endpoints, TLSMaterial: { docker: ["ca.pem"] } });
  t.same(secure, { host, secureContext: "far" });
  t.match(secure && clientOptions(secure, {}), {
    reason: /context "far" keeps TLS certificates/,
    remedy: /DOCKER_HOST=tcp:\/\/far\.example:2376, DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH/,
  });
});
