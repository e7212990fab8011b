/** `docker build` by BuildKit: bounded, abortable, its output kept in a log, its failures explained. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { LabError } from "../cli/lab-error.ts";
import { runDocker } from "../docker/cli.ts";
import { labPaths } from "../paths.ts";
import type { RunResult } from "../util/run-command.ts";
import { writeCertificates } from "./ca-bundle.ts";

export interface BuildRequest {
  /** For people and for the log's name, such as redis. */
  readonly name: string;
  /** The tag to give. */
  readonly reference: string;
  readonly dockerfile: string;
  /** Directory. */
  readonly context: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Take no step from an earlier build. */
  readonly fresh?: boolean;
  readonly labDir: string;
  readonly signal: AbortSignal;
}

/** Of a line that is shown; its end says what went wrong. */
const LINE = 300;
const RETRY_AFTER_MS = 5_000;
const BUILD_MS = 20 * 60_000;
const proxies = /^(https?|no|all|ftp)_proxy$/i;

/** @throws LabError COMMAND_FAILED with the end of the log; PREREQUISITE_MISSING when there is no BuildKit */
export async function buildImage(request: BuildRequest): Promise<void> {
  const { reference, signal, labDir } = request;
  const certificates = writeCertificates(process.env, join(labPaths(labDir).cache, "images", "ca.crt"));
  const args = [
    "build",
    "--progress=plain",
    `--file=${request.dockerfile}`,
    `--tag=${reference}`,
    ...(await localBuilder()),
    ...(request.fresh ? ["--no-cache"] : []),
    ...(certificates === undefined ? [] : [`--secret=id=ca,src=${certificates}`]),
    ...pairs("--build-arg", request.args),
    ...pairs("--label", request.labels),
    // Without a value it is taken from the environment, and is in no layer.
    ...Object.keys(process.env)
      .filter((name) => proxies.test(name))
      .map((name) => `--build-arg=${name}`),
    request.context,
  ];
  const build = () => runDocker(args, { env: { DOCKER_BUILDKIT: "1" }, timeout: BUILD_MS, signal });
  let result = await build();
  if (result.code !== 0 && !signal.aborted && isNetworkFailure(result)) {
    // A network that is gone for a moment is common; what was done until then is taken from the build cache.
    await setTimeout(RETRY_AFTER_MS, undefined, { signal }).catch(() => {});
    result = await build();
  }
  const log = writeLog(labDir, request.name, result);
  signal.throwIfAborted();
  if (result.code !== 0) throw explainBuildFailure(request.name, result, log);
}

/** Keeps what a step of the building has printed. */
export function writeLog(labDir: string, name: string, result: RunResult): string {
  const { logs } = labPaths(labDir);
  mkdirSync(logs, { recursive: true });
  const log = join(logs, `image-${name}.log`);
  writeFileSync(log, `${result.stdout}${result.stderr}`, { mode: 0o600 });
  return log;
}

/** What went wrong, from what was printed. */
export function explainBuildFailure(name: string, result: RunResult, log: string): LabError {
  const text = `${result.stdout}${result.stderr}`;
  const detail = endOf(text);
  const what = `The image ${name} could not be built.`;
  if (/no space left on device|ENOSPC|not enough free space/i.test(text)) {
    return new LabError("COMMAND_FAILED", what, {
      reason: "The disk is full.",
      remedy:
        'Free some: "docker system df" shows what the engine holds, "docker builder prune" frees its build cache.',
      detail,
    });
  }
  if (/buildx component is missing|unknown flag: --secret|requires? BuildKit/i.test(text)) {
    return new LabError("PREREQUISITE_MISSING", what, {
      reason: "Docker's buildx plugin is missing.",
      remedy: "Install it (docker-buildx-plugin, on Debian and Ubuntu docker-buildx), then try again.",
      detail,
    });
  }
  const network = isNetworkFailure(result);
  return new LabError("COMMAND_FAILED", what, {
    reason: network
      ? "A package registry could not be reached from the build, or its certificate was not accepted."
      : (result.error?.message ?? `docker build ended with exit code ${result.code}.`),
    remedy: network
      ? `Check the network, the proxy and NODE_EXTRA_CA_CERTS, then try again; all of the output is in ${log}.`
      : `Read ${log}, then try again: what is done already is not done twice.`,
    detail,
    cause: result.error,
  });
}

function isNetworkFailure({ stdout, stderr }: RunResult): boolean {
  return /could not resolve|Temporary failure|EAI_AGAIN|ENOTFOUND|ETIMEDOUT|ECONNRE|certificate|Failed to fetch/i.test(
    `${stdout}${stderr}`,
  );
}

/** The last lines of what was printed; without the listing of the Dockerfile, which BuildKit adds, and cut to a width. */
function endOf(text: string): string[] {
  return text
    .trim()
    .split(/[\r\n]+/)
    .filter((line) => !/^\s*(-{4,}|\d+ \| )/.test(line) && line.trim() !== "")
    .map((line) => (line.length > LINE ? `…${line.slice(-LINE)}` : line))
    .slice(-15);
}

/** The engine's own builder: another one that the user may have chosen does not see the engine's images. */
async function localBuilder(): Promise<string[]> {
  const { code, stdout } = await runDocker(["context", "show"], { timeout: 5_000 });
  return code === 0 && stdout.trim() !== "" ? [`--builder=${stdout.trim()}`] : [];
}

function pairs(flag: string, values: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(values).map(([name, value]) => `${flag}=${name}=${value}`);
}
