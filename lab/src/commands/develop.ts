/** `lab check`, `coverage`, `format`, `bench`: the development tools, each as one command. Exit code 1 when one fails. */
import { globSync } from "node:fs";
import type { Command } from "commander";
import type { CliContext } from "../cli/context.ts";
import { exitCodes } from "../cli/exit-codes.ts";
import { rootDir } from "../paths.ts";
import { runNode, runTool } from "../util/tools.ts";

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
  command("bench", "run the micro-benchmarks, one after another", async () => {
    const files = globSync("{packages,services,lab}/**/bench/*.bench.ts", {
      cwd: rootDir,
      exclude: ["**/node_modules"],
    }).sort();
    if (files.length === 0)
      output.warn("There are no benchmarks yet: none matches {packages,services,lab}/*/bench/*.bench.ts");
    const codes: number[] = [];
    for (const file of files) {
      output.begin(file);
      codes.push(await runNode([file], signal));
    }
    return codes;
  });
}
