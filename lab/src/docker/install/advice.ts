/** What to install by hand where `make engine` does not do it: one answer for each system that people have. */
import type { System } from "./system.ts";

export interface Advice {
  reason: string;
  remedy: string;
}

const docs = "https://docs.docker.com/engine/install/";
const start = "sudo systemctl enable --now docker";
const without = "RUNTIME=process needs no engine.";

/** By ID of /etc/os-release. */
const commands: Readonly<Record<string, string>> = {
  alpine: "doas apk add docker docker-cli-compose docker-cli-buildx && doas service docker start",
  arch: `sudo pacman -S docker docker-compose docker-buildx && ${start}`,
  fedora: `sudo dnf install moby-engine docker-cli docker-compose docker-buildx && ${start}`,
  manjaro: `sudo pacman -S docker docker-compose docker-buildx && ${start}`,
  "opensuse-leap": `sudo zypper install docker docker-compose docker-buildx && ${start}`,
  "opensuse-tumbleweed": `sudo zypper install docker docker-compose docker-buildx && ${start}`,
};

/** The releases whose packages are known to be new enough, or can be had beside the present ones. */
const oldestRelease: Readonly<Record<string, number>> = { debian: 12, ubuntu: 22.04 };

/** Undefined where `make engine` can do it itself. */
export function adviceElsewhere(system: System): Advice | undefined {
  const { platform, distribution } = system;
  if (platform === "darwin" || platform === "win32") {
    const name = platform === "darwin" ? "macOS" : "Windows";
    const other =
      platform === "darwin" ? ", or Colima (brew install colima docker docker-compose docker-buildx)" : "";
    return {
      reason: `On ${name} an engine runs in a virtual machine of its own.`,
      remedy: `Install and start Docker Desktop (https://docs.docker.com/desktop/)${other}. ${without}`,
    };
  }
  const id = distribution?.id ?? platform;
  const oldest = oldestRelease[id];
  if (oldest === undefined || !system.apt) {
    const command = commands[id];
    return {
      reason: `This is ${distribution?.name ?? platform}; only Debian and Ubuntu are done by this command.`,
      remedy: `${command === undefined ? `Install Docker Engine with Compose and buildx (${docs}).` : `Run: ${command}`} ${without}`,
    };
  }
  // Debian's testing and unstable have no number.
  const { version } = distribution ?? {};
  if (version !== undefined && Number(version) < oldest) {
    return {
      reason: `${distribution?.name ?? id} has no packages that are new enough.`,
      remedy: `Use Docker's own packages (${docs}${id}/). ${without}`,
    };
  }
  return undefined;
}

/** Where packages of Docker's own archive are installed, which those of the distribution would replace. */
export function adviceOnDockersPackages(foreign: readonly string[]): Advice {
  const packages = "docker-ce docker-ce-cli containerd.io docker-compose-plugin docker-buildx-plugin";
  return {
    reason: `Docker's own packages are installed (${foreign.join(", ")}) and would be replaced.`,
    remedy: `Complete and renew them: sudo apt-get update && sudo apt-get install ${packages}`,
  };
}
