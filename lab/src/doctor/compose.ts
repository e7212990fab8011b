/** The docker command with its plugins: Compose starts the lab's containers, buildx builds its images. */
import { findProgram } from "../util/run-command.ts";
import type { Examination } from "./examination.ts";
import { checkMs, type Finding, failed } from "./finding.ts";

export async function checkCompose(examination: Examination): Promise<Finding[]> {
  const { path } = examination;
  if (findProgram("docker", path) === undefined) {
    const found = "the docker command is not on PATH";
    return [{ check: "compose", state: "fail", found, fix: howToGet(examination), needed_by: "compose" }];
  }
  return Promise.all([compose(examination), buildx(examination)]);
}

async function compose({ compose }: Examination): Promise<Finding> {
  try {
    return { check: "compose", state: "ok", found: await compose(), needed_by: "compose" };
  } catch (error) {
    return { ...failed("compose", error), needed_by: "compose" };
  }
}

async function buildx(examination: Examination): Promise<Finding> {
  const { code, stdout } = await examination.docker(["buildx", "version"], { timeout: checkMs });
  const version = /\bv?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1];
  const check = "buildx";
  if (code === 0) return { check, state: "ok", found: version ?? stdout.trim(), needed_by: "compose" };
  // Images that are there, or come from a registry, do without it.
  const found = "missing; building images needs it";
  return { check, state: "warn", found, fix: howToGet(examination), needed_by: "compose" };
}

function howToGet({ engine }: Examination): string {
  const install = '"make engine" installs it on Debian and Ubuntu';
  return engine.usable
    ? `${install}; elsewhere see https://docs.docker.com/engine/install/.`
    : `${install}, engine included; RUNTIME=process needs none.`;
}
