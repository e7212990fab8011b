/** `lab check`, `coverage`, `format`, `bench`: the development tools, each as one command. Exit code 1 when one fails. */
import { globSync } from "node:fs";
import type { Command } from "commander";
import type { CliContext } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import { rootDir } from "../paths.ts";
import { runNode, runTool } from "../util/tools.ts";
import { withLab } from "./with-lab.ts";

export function registerDevelopCommands(program: Command, context: CliContext): void {
  const { output, signal } = context;
  const command = (name: string, description: string, steps: () => Promise<number[]>) =>
    program
      .command(name)
      .description(description)
      .action(async () => {
        const codes = await steps();
        const bad = codes.some((code) => code !== 0);
        signal.throwIfAborted();
        if (bad) context.exitWith(exitCodes.failed);
      });

  command("check", "lint and check the types", async () => {
    const lint = await runTool("@biomejs/biome", "biome", ["check", "."], signal);
    return [lint, await runTool("typescript", "tsc", ["--noEmit"], signal)];
  });
  command("format", "format the sources and mend what the linter can mend", async () => [
    await runTool("@biomejs/biome", "biome", ["check", "--write", "."], signal),
  ]);
  command("coverage", "run the tests and measure what they cover", async () => [
    await runTool("tap", "tap", ["run"], signal),
  ]);
  command("bench", "run the benchmarks, one after another; starts the lab when it does not run", async () => {
    const files = globSync("bench/*.ts", { cwd: rootDir }).sort();
    // One of them needs the pipeline, and the others need a machine with nothing else to do: it idles.
    const codes: number[] = [];
    await withLab(context, {}, async () => {
      for (const file of files) {
        output.begin(file);
        codes.push(await runNode([file], signal));
      }
    });
    return codes;
  });
}
