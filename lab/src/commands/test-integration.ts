/**
 * `lab test-integration`: the suites that run on real containers, by Testcontainers. Whatever they make is removed when
 * they end; what a run that was killed has left is removed by the next one.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { type CliContext, loadSettings } from "../cli/context.ts";
import { LabError, messageOf } from "../cli/lab-error.ts";
import { requireCompose } from "../docker/cli.ts";
import { type Engine, findEngine } from "../docker/engine.ts";
import { sessionOf, sessionVariable, sweepTests } from "../docker/test-resources.ts";
import { testcontainersEnvironment } from "../docker/testcontainers.ts";
import { type BackingServer, backingImages } from "../images/catalogue.ts";
import { resolveImages } from "../images/resolve-images.ts";
import { labPaths, rootDir } from "../paths.ts";
import { profiles } from "../settings.ts";
import { concludeTests, runTap } from "../util/run-tap.ts";
import { showEvent } from "./up.ts";

const configuration = join(rootDir, "test", "integration", "taprc.yaml");

export function registerTestIntegrationCommand(program: Command, context: CliContext): void {
  program
    .command("test-integration")
    .description("run the suites that need a Docker engine, on real containers")
    .argument("[files...]", "test files or directories; all when left out")
    .action(async (files: string[]) => {
      const { output, signal, environment } = context;
      const engine = await requireEngine(environment);
      await requireCompose();
      await sweep(context, engine);
      const settings = loadSettings(context);
      const { variables } = await resolveImages({
        engine,
        settings,
        servers: Object.keys(backingImages) as BackingServer[],
        systems: profiles,
        signal,
        onEvent: (event) => showEvent(output, event),
      });
      // The containers' logs of the last run; the suites write them.
      const { integrationLogs: logs, integrationRecord: record } = labPaths(settings.labDir);
      rmSync(logs, { recursive: true, force: true });
      const session = sessionOf(process.pid);
      output.begin(`Running the integration tests on Docker ${engine.version}`);
      try {
        const run = await runTap({
          files,
          record,
          configuration,
          environment: {
            ...variables,
            ...testcontainersEnvironment(environment, engine.host),
            [sessionVariable]: session,
          },
          signal,
        });
        signal.throwIfAborted();
        if (run.failures.length > 0) output.warn(`The containers' logs are in ${logs}`);
        concludeTests(context, run);
      } finally {
        await sweep(context, engine, session);
      }
    });
}

/** RUNTIME=process, which the lab itself offers in place of an engine, is of no use here. */
async function requireEngine(environment: CliContext["environment"]): Promise<Engine> {
  const found = await findEngine(environment);
  if (found.usable) return found.engine;
  throw new LabError("PREREQUISITE_MISSING", "The integration tests need a Docker engine.", {
    reason: found.reason,
    remedy:
      'Start Docker, or get it: "make engine" on Debian and Ubuntu, else https://docs.docker.com/engine/install/. "make test" needs none.',
  });
}

async function sweep({ output }: CliContext, { client }: Engine, ended?: string): Promise<void> {
  try {
    const { containers, networks, volumes } = await sweepTests(client, ended);
    if (containers + networks + volumes === 0) return;
    const what = `${containers} containers, ${networks} networks and ${volumes} volumes`;
    output.done(`Removed ${what} that tests had left`);
  } catch (error) {
    // What the tests found out is worth more than this.
    output.warn(`What tests have left could not be removed: ${messageOf(error)}`);
  }
}
