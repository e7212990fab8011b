/** The Docker engine: whether one answers, where it is, and what it can do. */
import type { Engine } from "../docker/engine.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

/** The part of the engine's own description that is looked at here; a Podman or an old engine may leave some out. */
export interface EngineInfo {
  OperatingSystem?: string;
  DockerRootDir?: string;
  Driver?: string;
  MemTotal?: number;
  NCPU?: number;
  SecurityOptions?: string[] | null;
  MemoryLimit?: boolean;
  CpuCfsQuota?: boolean;
  CPUCfsQuota?: boolean;
  PidsLimit?: boolean;
}

const check = "engine";

export async function checkEngine({ engine, settings, runtime }: Examination): Promise<Finding[]> {
  if (!engine.usable) {
    const { reason, remedy } = engine;
    // Left to the lab, it goes on without an engine; the person may still want to know how to get one.
    if (settings.runtime === "auto" && runtime === "process") {
      return [{ check, state: "warn", found: `${reason} make up uses the process runtime`, fix: remedy }];
    }
    return [{ check, state: "fail", found: reason, fix: remedy, needed_by: "compose" }];
  }
  const info = await engineInfo(engine.engine);
  return [whereItIs(engine.engine, info), ...whatItCannot(info)];
}

export async function engineInfo({ client }: Engine): Promise<EngineInfo> {
  return (await client.info()) as EngineInfo;
}

/** True when the engine runs on the system that this process runs on, not behind a network or in a virtual machine. */
export function isHere({ host }: Engine, { OperatingSystem }: EngineInfo): boolean {
  return process.platform === "linux" && host.startsWith("unix://") && OperatingSystem !== "Docker Desktop";
}

function whereItIs({ host, version }: Engine, info: EngineInfo): Finding {
  const rootless = (info.SecurityOptions ?? []).some((option) => option.includes("name=rootless"));
  const kinds = [
    ...(rootless ? ["rootless"] : []),
    ...(info.OperatingSystem === "Docker Desktop" ? ["Docker Desktop"] : []),
  ];
  const found = [`${version} at ${host}`, ...kinds].join(", ");
  if (/^(unix|npipe):/.test(host)) return { check, state: "ok", found, needed_by: "compose" };
  return {
    check,
    state: "warn",
    found: `${found}: another machine, where the lab's ports would open on its 127.0.0.1, not here`,
    fix: "Unset DOCKER_HOST or choose a local context, or forward the lab's ports, or use RUNTIME=process.",
    needed_by: "compose",
  };
}

/** Limits that the compose files set and this engine would not keep: results would not compare. */
function whatItCannot(info: EngineInfo): Finding[] {
  const missing = [
    ...(info.MemoryLimit === false ? ["memory"] : []),
    ...((info.CpuCfsQuota ?? info.CPUCfsQuota) === false ? ["CPU"] : []),
    ...(info.PidsLimit === false ? ["process"] : []),
  ];
  const findings: Finding[] = [];
  if (missing.length > 0) {
    findings.push({
      check: "engine limits",
      state: "warn",
      found: `the engine does not enforce ${missing.join(" and ")} limits; results do not compare with other machines`,
      fix: "Give it these control groups (rootless: systemd with Delegate=yes for cpu, memory and pids).",
      needed_by: "compose",
    });
  }
  if (info.Driver === "vfs") {
    findings.push({
      check: "engine storage",
      state: "warn",
      found: "vfs, which copies whole images for each container: slow, and many GB of disk",
      fix: "Let the engine mount overlay file systems (a container around it: --privileged).",
      needed_by: "compose",
    });
  }
  return findings;
}
