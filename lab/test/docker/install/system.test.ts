/** Looking at a machine below a directory, whose programs are a script. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { inspectSystem } from "../../../src/docker/install/system.ts";

const linuxOnly = { skip: process.platform !== "linux" && "describes Linux machines" };

t.test("what is planted is found", linuxOnly, async (t) => {
  const root = t.testdir({
    etc: {
      "os-release":
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
      apt: {
        "sources.list": "deb http://one.example/debian bookworm main\n",
        "sources.list.d": {
          "a.sources": "Types: deb\nURIs: http://two.example\nSuites: bookworm-security\nComponents: main\n",
          "b.sources.disabled": "Types: deb\nURIs: http://no.example\nSuites: trixie\nComponents: main\n",
          "c.list": "deb http://three.example stable main\n",
        },
      },
    },
    usr: { bin: { "apt-get": "" } },
    run: { systemd: { system: {} } },
    proc: { sys: { net: { ipv4: { conf: { all: { route_localnet: "0\n" } } } } } },
    launcher: `#!/bin/sh
case "$1" in
  dockerd) echo "Docker version 26.1.5+dfsg1, build 411e817" ;;
  dpkg-query) printf 'installed docker-ce\\nnot-installed docker-ce-cli\\nconfig-files containerd.io\\n'; exit 1 ;;
esac
`,
  });
  chmodSync(join(root, "launcher"), 0o755);
  const found = await inspectSystem({ root, launcher: [join(root, "launcher")], env: process.env });
  t.match(found, {
    platform: "linux",
    distribution: { id: "debian", codename: "bookworm", version: "12" },
    apt: true,
    systemd: true,
    localRoutes: true,
    installed: { engine: "26.1.5+dfsg1", foreign: ["docker-ce"] },
  });
  t.same(
    found.aptSources.map(({ uris: [uri] }) => uri),
    ["http://one.example/debian", "http://two.example", "http://three.example"],
  );
});

t.test("a machine with nothing on it", linuxOnly, async (t) => {
  const root = t.testdir({});
  t.match(await inspectSystem({ root, launcher: ["false"], env: {} }), {
    distribution: undefined,
    apt: false,
    aptSources: [],
    systemd: false,
    localRoutes: false,
    installed: { engine: undefined, foreign: [] },
  });
});
