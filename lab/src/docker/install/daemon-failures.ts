/** What dockerd writes when it does not start, turned into why and what to do. */

export interface DaemonFailure {
  reason: string;
  remedy: string;
}

const known: readonly (DaemonFailure & { pattern: RegExp })[] = [
  {
    pattern: /needs to be started with root/i,
    reason: "The engine was not started as root.",
    remedy: 'Run "make engine" as root or through sudo.',
  },
  {
    pattern: /process with PID \d+ is still running|pid file found|is docker already running/i,
    reason: "Another engine is running, or starting, on this machine.",
    remedy: 'Stop it, or wait until it answers ("docker info").',
  },
  {
    pattern:
      /unable to configure the Docker daemon|invalid character .*daemon\.json|conflict.* daemon\.json/i,
    reason: "Its settings in /etc/docker/daemon.json are not valid.",
    remedy: "Correct or remove that file.",
  },
  {
    pattern: /no space left on device/i,
    reason: "The disk is full.",
    remedy: "Free some GB for /var/lib/docker.",
  },
  {
    pattern:
      /executable file not found.*iptables|iptables not found|failed to find iptables|"iptables": executable/i,
    reason: "The program iptables is missing.",
    remedy: "Install it (apt-get install iptables), then make engine again.",
  },
  {
    pattern:
      /iptables failed|can't initialize iptables|Failed to initialize nft|bridge.*driver failed to register|register "bridge" driver/i,
    reason:
      "Networks of containers cannot be set up: the kernel or the container around it does not allow iptables.",
    remedy:
      "Give this machine the right to administer its network (a container: --privileged), or load the kernel modules ip_tables and nf_nat.",
  },
  {
    pattern:
      /cgroups?:? .*(not mounted|mountpoint does not exist|not exist|no such file)|devices cgroup isn't mounted|failed to mount.*cgroup/i,
    reason: "The kernel's control groups (cgroup) are not mounted.",
    remedy:
      "Mount them (mount -t cgroup2 none /sys/fs/cgroup), or start the engine by the machine's service manager.",
  },
  {
    pattern:
      /overlay2?.*(not supported|invalid argument|no such device|failed)|failed to mount overlay|error initializing graphdriver/i,
    reason: "The file system or the kernel has no overlay, on which images stand.",
    remedy:
      'Load it (modprobe overlay), or set {"storage-driver": "vfs"} in /etc/docker/daemon.json, which is slow and large.',
  },
  {
    pattern: /operation not permitted|permission denied/i,
    reason: "The engine may not do what it has to: this machine is probably a container without privileges.",
    remedy: "Start that container with --privileged, or use the engine of the machine around it.",
  },
  {
    pattern: /timeout waiting for containerd|failed to (start|dial) containerd/i,
    reason: "containerd, on which the engine stands, does not start.",
    remedy: "Read its lines in the log.",
  },
  {
    pattern: /setsid: failed to execute dockerd|dockerd: (not found|No such file)/i,
    reason: "There is no program dockerd.",
    remedy: "Install the package docker.io.",
  },
];

/** @param lines of the log since it was started */
export function explainDaemonLog(lines: readonly string[]): DaemonFailure {
  const telling = tellingLines(lines);
  // The last line is why it ended; those before it may be warnings that it can live with.
  const texts = [telling.at(-1) ?? "", telling.join("\n")];
  for (const text of texts) {
    const found = known.find(({ pattern }) => pattern.test(text));
    if (found !== undefined) return { reason: found.reason, remedy: found.remedy };
  }
  return {
    reason: "Its log names no cause that is known here.",
    remedy: "Read the lines below; RUNTIME=process needs no engine.",
  };
}

/** Without what is only for information. */
export function tellingLines(lines: readonly string[]): string[] {
  return lines.filter((line) => line.trim() !== "" && !/\blevel=(info|debug)\b/.test(line));
}
