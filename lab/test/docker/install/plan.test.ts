/** Plans for machines that are described, not touched. */
import t from "tap";
import type { EngineFinding } from "../../../src/docker/engine.ts";
import { type DockerState, type EnginePlan, planEngine, showStep } from "../../../src/docker/install/plan.ts";
import type { System } from "../../../src/docker/install/system.ts";

const silent: EngineFinding = {
  usable: false,
  host: "unix:///var/run/docker.sock",
  state: "silent",
  reason: "There is no engine.",
  remedy: "Start one.",
};
const nothing: DockerState = { engine: silent, compose: false, buildx: false };

const source = (suite: string, signedBy?: string) => ({
  uris: ["http://mirror.example/debian"],
  suites: [suite],
  components: ["main"],
  signedBy,
});

const bookworm: System = {
  platform: "linux",
  distribution: { id: "debian", name: "Debian GNU/Linux 12 (bookworm)", codename: "bookworm", version: "12" },
  apt: true,
  aptSources: [source("bookworm", "/keys.gpg")],
  user: { root: true, name: "root", sudo: false },
  systemd: false,
  localRoutes: true,
  installed: { engine: undefined, foreign: [] },
};
const trixie: System = {
  ...bookworm,
  distribution: { id: "debian", name: "Debian GNU/Linux 13 (trixie)", codename: "trixie", version: "13" },
  aptSources: [source("trixie")],
};
const ubuntu = (version: string): System => ({
  ...bookworm,
  distribution: { id: "ubuntu", name: `Ubuntu ${version}`, codename: "noble", version },
  aptSources: [source("noble")],
  systemd: true,
});

/** The plan as shown, one line of each step. */
function shown(plan: EnginePlan): string[] {
  if (!plan.possible) throw new Error(`not possible: ${plan.reason}`);
  return plan.steps.map((step) => showStep(step, plan.sudo)[0] ?? "");
}

const options = "--yes --no-install-recommends -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold";

t.test("where the kernel may not be told of routes, dockerd forwards published ports itself", async (t) => {
  const plan = planEngine({ ...trixie, localRoutes: false }, nothing);
  t.equal(shown(plan).at(-1), "dockerd >>/var/log/parallax-dockerd.log 2>&1 &");
});

t.test("bare Debian 12: Debian 13 as a pinned source, its packages, dockerd", async (t) => {
  const plan = planEngine(bookworm, nothing);
  const packages = "docker.io docker-cli docker-compose docker-buildx iptables";
  t.same(shown(plan), [
    "tee /etc/apt/preferences.d/parallax-trixie",
    "tee /etc/apt/sources.list.d/parallax-trixie.sources",
    "DEBIAN_FRONTEND=noninteractive apt-get update",
    `DEBIAN_FRONTEND=noninteractive apt-get install ${options} -t trixie --download-only ${packages}`,
    `DEBIAN_FRONTEND=noninteractive apt-get install ${options} -t trixie ${packages}`,
    "dockerd --userland-proxy=false >>/var/log/parallax-dockerd.log 2>&1 &",
  ]);
  t.match(plan, { sudo: false });
  const files = plan.possible ? plan.steps.filter((step) => step.kind === "file") : [];
  t.match(files[0]?.content, /Pin: release n=trixie\nPin-Priority: 100/);
  t.match(
    files[1]?.content,
    /URIs: http:\/\/mirror\.example\/debian\nSuites: trixie\n.*\nSigned-By: \/keys\.gpg\n/,
  );
});

t.test("Debian 12 where somebody has added Debian 13: no file is written", async (t) => {
  const plan = planEngine({ ...bookworm, aptSources: [source("bookworm"), source("trixie")] }, nothing);
  t.match(shown(plan)[0], /apt-get update$/);
  t.match(shown(plan)[2], /-t trixie docker\.io/);
});

t.test("Debian 12 that calls itself 13 after an interrupted installation is Debian 12", async (t) => {
  const half = { ...trixie, aptSources: [source("bookworm"), source("trixie")] };
  t.match(shown(planEngine(half, nothing))[2], /-t trixie docker\.io/);
});

t.test("Debian 12 without any source gets Debian's own archive", async (t) => {
  const plan = planEngine({ ...bookworm, aptSources: [] }, nothing);
  const written = plan.possible && plan.steps[1]?.kind === "file" ? plan.steps[1].content : "";
  t.match(written, /URIs: http:\/\/deb\.debian\.org\/debian\n/);
  t.match(written, /Signed-By: \/usr\/share\/keyrings\/debian-archive-keyring\.gpg\n/);
});

t.test("Debian 13 and unnumbered Debian: their own packages", async (t) => {
  const sid = { id: "debian", name: "Debian sid", codename: "forky", version: undefined };
  for (const system of [trixie, { ...trixie, distribution: sid }]) {
    const lines = shown(planEngine(system, nothing));
    t.equal(lines.length, 4);
    t.match(lines[2], /force-confold docker\.io docker-cli docker-compose docker-buildx iptables$/);
  }
});

t.test("Ubuntu: its own packages, started by systemd, through sudo", async (t) => {
  for (const version of ["22.04", "24.04", "26.04"]) {
    const user = { root: false, name: "ada", sudo: true };
    const plan = planEngine({ ...ubuntu(version), user }, nothing);
    t.match(plan, { sudo: true });
    t.same(shown(plan), [
      "sudo DEBIAN_FRONTEND=noninteractive apt-get update",
      `sudo DEBIAN_FRONTEND=noninteractive apt-get install ${options} --download-only docker.io docker-compose-v2 docker-buildx iptables`,
      `sudo DEBIAN_FRONTEND=noninteractive apt-get install ${options} docker.io docker-compose-v2 docker-buildx iptables`,
      "sudo systemctl enable --now docker",
    ]);
  }
});

t.test("installed but stopped: it is only started", async (t) => {
  const docker = { engine: silent, compose: true, buildx: true };
  const installed = { engine: "26.1.5+dfsg1", foreign: [] };
  t.same(shown(planEngine({ ...bookworm, installed }, docker)), [
    "dockerd --userland-proxy=false >>/var/log/parallax-dockerd.log 2>&1 &",
  ]);
  t.same(shown(planEngine({ ...bookworm, installed, systemd: true }, docker)), [
    "systemctl enable --now docker",
  ]);
  const foreign = ["containerd.io", "docker-ce"];
  const ce = { ...bookworm, installed: { engine: "28.1.1", foreign }, systemd: true };
  t.same(shown(planEngine(ce, docker)), ["systemctl enable --now docker"], "Docker's own packages, too");
  const old = { ...bookworm, installed: { engine: "20.10.24", foreign: [] } };
  t.match(shown(planEngine(old, docker)), { length: 6 }, "an old one is renewed first");
});

t.test("an engine answers and its Compose is missing: no second engine, nothing is started", async (t) => {
  const engine = { usable: true, engine: { host: silent.host, version: "26.1.5" } } as EngineFinding;
  const lines = shown(planEngine(trixie, { engine, compose: false, buildx: true }));
  t.equal(lines.length, 3);
  t.match(lines[2], /force-confold docker-cli docker-compose docker-buildx$/);
});

t.test("where it cannot be done, why and what instead", async (t) => {
  const on = (id: string, version?: string, more: Partial<System> = {}): System => ({
    ...bookworm,
    distribution: { id, name: `${id} ${version ?? ""}`, codename: undefined, version },
    ...more,
  });
  const cases: [name: string, system: System, docker: DockerState, reason: RegExp, remedy: RegExp][] = [
    ["macOS", { ...bookworm, platform: "darwin" }, nothing, /macOS/, /Docker Desktop.*brew install colima/],
    ["Windows", { ...bookworm, platform: "win32" }, nothing, /Windows/, /Docker Desktop/],
    [
      "Fedora",
      on("fedora", "43", { apt: false }),
      nothing,
      /fedora 43/,
      /dnf install moby-engine.*systemctl/,
    ],
    [
      "Arch",
      on("arch", undefined, { apt: false }),
      nothing,
      /arch/,
      /pacman -S docker docker-compose docker-buildx/,
    ],
    ["a derivative", on("linuxmint", "22"), nothing, /only Debian and Ubuntu/, /docs\.docker\.com/],
    ["Debian 11", on("debian", "11"), nothing, /new enough/, /docs\.docker\.com\/engine\/install\/debian/],
    ["Ubuntu 20.04", on("ubuntu", "20.04"), nothing, /new enough/, /install\/ubuntu/],
    [
      "no sudo",
      { ...bookworm, user: { root: false, name: "ada", sudo: false } },
      nothing,
      /no sudo/,
      /as root/,
    ],
    [
      "Docker's own packages, in part",
      { ...bookworm, installed: { engine: "28.1.1", foreign: ["docker-ce"] } },
      nothing,
      /docker-ce.*would be replaced/,
      /docker-compose-plugin/,
    ],
    [
      "not in the group",
      bookworm,
      { ...nothing, engine: { ...silent, state: "denied", remedy: "group docker" } },
      /./,
      /group docker/,
    ],
    ["no address", bookworm, { ...nothing, engine: { ...silent, state: "misaddressed" } }, /./, /Start one/],
    [
      "an engine elsewhere",
      bookworm,
      { ...nothing, engine: { ...silent, host: "tcp://10.0.0.1:2375" } },
      /./,
      /unset DOCKER_HOST/,
    ],
  ];
  for (const [name, system, docker, reason, remedy] of cases) {
    t.match(planEngine(system, docker), { possible: false, reason, remedy }, name);
  }
});

t.test("a file is shown whole, and what a shell would take apart in quotes", async (t) => {
  t.same(showStep({ kind: "file", why: "", path: "/etc/x", content: "one\ntwo\n" }, true), [
    "sudo tee /etc/x",
    "  one",
    "  two",
  ]);
  const command = ["echo", "it's two words"] as const;
  t.same(showStep({ kind: "command", why: "", command, env: {}, timeout: 1 }, false), [
    `echo 'it'\\''s two words'`,
  ]);
});
