/**
 * A function's code: its entry point and all that it imports in one file, in a ZIP archive as Lambda takes it. The same sources
 * make the same bytes, on every machine and at any time, so that Lambda's own hash of the code tells whether anything has changed.
 */

import { createHash } from "node:crypto";
import { LabError, messageOf } from "../cli/lab-error.ts";

export interface BundledFunction {
  /** CommonJS, for Node 22 and later. */
  readonly code: string;
  readonly zip: Uint8Array;
  /** As Lambda tells it (CodeSha256): the archive's SHA-256 in base64. */
  readonly sha256: string;
  /** Modules that it expects of Node, or does without. */
  readonly imports: readonly string[];
}

export const FUNCTION_RUNTIME = "nodejs24.x" as const;
/** An emulator runs functions with the Node that it has, whatever their runtime says. */
const TARGET = "node22";
/** What FUNCTION_HANDLER names: the file without its ending, and the export. */
const FILE = "index.js";
export const FUNCTION_HANDLER = "index.handler";

/** Looked for at run time by pg, which does without it. */
const OPTIONAL = ["pg-native"];
/** Everybody may read it: Lambda runs the code as a user of its own. */
const MODE = 0o100_644;
const UNIX = 3;

/**
 * @param root the repository
 * @param entryPoint below it; exports `handler`
 * @throws LabError COMMAND_FAILED with what esbuild says
 */
export async function bundleFunction(root: string, entryPoint: string): Promise<BundledFunction> {
  // Not needed by any other command, and esbuild is a program of its own, which is ended again.
  const { build, stop } = await import("esbuild");
  try {
    const { outputFiles, metafile } = await build({
      absWorkingDir: root,
      entryPoints: [entryPoint],
      bundle: true,
      platform: "node",
      format: "cjs",
      target: TARGET,
      external: OPTIONAL,
      legalComments: "inline",
      write: false,
      metafile: true,
      logLevel: "silent",
    });
    const code = outputFiles[0]?.text ?? "";
    const imports = Object.values(metafile.outputs).flatMap((output) =>
      output.imports.map(({ path }) => path),
    );
    const zip = await archive(code);
    return {
      code,
      zip,
      sha256: createHash("sha256").update(zip).digest("base64"),
      imports: [...new Set(imports)].sort(),
    };
  } catch (error) {
    throw new LabError("COMMAND_FAILED", `${entryPoint} could not be bundled.`, {
      reason: messageOf(error),
      remedy: 'Run "npm ci" if a package is missing; otherwise the sources are at fault.',
      cause: error,
    });
  } finally {
    await stop();
  }
}

async function archive(code: string): Promise<Uint8Array> {
  const { strToU8, zipSync } = await import("fflate");
  // The format's own beginning, in local time as it is written: it says nothing about when or where this was made.
  const mtime = new Date(1980, 0, 1);
  return zipSync({ [FILE]: [strToU8(code), { mtime, os: UNIX, attrs: MODE << 16, level: 9 }] });
}
