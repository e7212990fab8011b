/** What apt and dockerd really said when things were taken from them, and what the lab makes of it. */
import t from "tap";
import { explainAptFailure } from "../../../src/docker/install/apt-failures.ts";
import { explainDaemonLog } from "../../../src/docker/install/daemon-failures.ts";

t.test("apt", async (t) => {
  const cases: [said: string, reason: RegExp, passing?: boolean][] = [
    [
      "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 412 (apt-get)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?",
      /holds apt's lock/,
      true,
    ],
    ["E: Could not get lock /var/lib/apt/lists/lock. It is held by process 412 (python3)", /lock/, true],
    [
      "E: The value 'trixie' is invalid for APT::Default-Release as such a release is not available in the sources\nW: Failed to fetch http://mirror.example/debian/dists/trixie/InRelease  Temporary failure resolving 'mirror.example'",
      /cannot be reached/,
    ],
    [
      "E: The value 'trixie' is invalid for APT::Default-Release as such a release",
      /does not have these packages/,
    ],
    ["E: Unable to locate package docker-compose-v2", /does not have these packages/],
    ["E: You don't have enough free space in /var/cache/apt/archives/.", /disk is full/],
    [
      " cannot copy extracted data for './usr/libexec/docker/cli-plugins/docker-buildx' to '…': failed to write (No space left on device)\nE: Sub-process /usr/bin/dpkg returned an error code (1)",
      /disk is full/,
    ],
    [
      "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.",
      /interrupted/,
    ],
    ["E: Release file for http://x is not valid yet (invalid for another 3d).", /clock/],
    ["E: The repository 'http://x trixie InRelease' is not signed.", /signature/],
    ["E: Unable to correct problems, you have held broken packages.", /do not go together/],
    ["sudo: a password is required", /sudo/],
    ["E: something new", /ended with an error/],
  ];
  for (const [said, reason, passing = false] of cases) {
    const { reason: why, remedy, passing: passes } = explainAptFailure(said);
    t.match(why, reason);
    t.not(remedy, "");
    t.equal(passes, passing, said);
  }
});

t.test("dockerd", async (t) => {
  const cases: [log: string, reason: RegExp][] = [
    [
      `time="…" level=warning msg="failed to find iptables" error="exec: \\"iptables\\": executable file not found in $PATH"
failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register "bridge" driver: failed to create NAT chain DOCKER: iptables not found`,
      /iptables is missing/,
    ],
    [
      `failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to register "bridge" driver: failed to create NAT chain DOCKER: iptables failed: iptables -t nat -N DOCKER: iptables v1.8.11 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)
 (exit status 4)`,
      /Networks of containers cannot be set up/,
    ],
    ["failed to start daemon: Devices cgroup isn't mounted", /control groups/],
    [
      "dockerd needs to be started with root privileges. To run dockerd in rootless mode as an unprivileged user, see",
      /not started as root/,
    ],
    [
      "unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid character 'b' looking for beginning of object key string",
      /daemon\.json/,
    ],
    [
      "failed to start daemon: error initializing graphdriver: prerequisites for driver not satisfied (wrong filesystem?): overlay2",
      /no overlay/,
    ],
    [
      `time="…" level=error msg="failed to mount overlay: operation not permitted" storage-driver=overlay2
time="…" level=info msg="containerd successfully booted"`,
      /overlay/,
    ],
    [
      "failed to start daemon: process with PID 13428 is still running: delete /var/run/docker.pid if…",
      /Another engine is running/,
    ],
    ["failed to start daemon: write /var/lib/docker/x: no space left on device", /disk is full/],
    ["setsid: failed to execute dockerd: No such file or directory", /no program dockerd/],
    ['time="…" level=info msg="permission denied is only a word here"', /no cause that is known/],
  ];
  for (const [log, reason] of cases) {
    const found = explainDaemonLog(log.split("\n"));
    t.match(found.reason, reason, log);
    t.not(found.remedy, "");
  }
});
