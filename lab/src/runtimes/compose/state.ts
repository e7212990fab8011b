/** What is written down about the lab that `up` has started, and what `configure` has laid over the compose files. */
import { rmSync } from "node:fs";
import { z } from "zod";
import type { LabPaths } from "../../paths.ts";
import { readJsonFile, writeJsonFile } from "../../util/files.ts";

const stateSchema = z.object({
  /** `starting` from before the first container is made until all are healthy. */
  phase: z.enum(["starting", "running"]),
  project: z.string(),
  profiles: z.array(z.string()),
  since: z.string(),
  parts: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(["engine", "service"]),
      port: z.number().nullable(),
      url: z.string().nullable(),
    }),
  ),
  images: z.record(
    z.string(),
    z.object({
      reference: z.string(),
      id: z.string(),
      digest: z.string().nullable(),
      base: z.string().optional(),
    }),
  ),
});

export type ComposeState = z.infer<typeof stateSchema>;

/** There from the start of `up` to `down`. Undefined when there is none that makes sense. */
export function readComposeState(paths: LabPaths): ComposeState | undefined {
  const parsed = stateSchema.safeParse(readJsonFile(paths.composeState));
  return parsed.success ? parsed.data : undefined;
}

export function writeComposeState(paths: LabPaths, state: ComposeState): void {
  writeJsonFile(paths.composeState, state);
}

export function removeComposeState(paths: LabPaths): void {
  for (const file of [paths.composeState, paths.composeEnvironment, paths.composeOverrides])
    rmSync(file, { force: true });
}

const volumesSchema = z.object({ project: z.string() });

/** The project whose volumes this lab has made; undefined before its first start, and after `clean`. */
export function projectWithVolumes(paths: LabPaths): string | undefined {
  const parsed = volumesSchema.safeParse(readJsonFile(paths.composeVolumes));
  return parsed.success ? parsed.data.project : undefined;
}

/** Remembers that there are volumes, or, with undefined, that there are none any more. */
export function rememberVolumes(paths: LabPaths, project: string | undefined): void {
  if (project === undefined) rmSync(paths.composeVolumes, { force: true });
  else writeJsonFile(paths.composeVolumes, { project });
}

export type Overrides = Readonly<Record<string, Readonly<Record<string, string>>>>;

const overridesSchema = z.object({
  services: z.record(z.string(), z.object({ environment: z.record(z.string(), z.string()) })),
});

/** Variables by service; only services that have any. */
export function readOverrides(paths: LabPaths): Overrides {
  const parsed = overridesSchema.safeParse(readJsonFile(paths.composeOverrides));
  if (!parsed.success) return {};
  const services = Object.entries(parsed.data.services);
  // Compose reads $ as the beginning of a variable; doubled it is itself.
  return Object.fromEntries(
    services.map(([name, { environment }]) => [name, mapValues(environment, undouble)]),
  );
}

/** A compose file in JSON, which YAML includes. */
export function writeOverrides(paths: LabPaths, overrides: Overrides): void {
  const services = Object.entries(overrides).filter(([, variables]) => Object.keys(variables).length > 0);
  if (services.length === 0) {
    rmSync(paths.composeOverrides, { force: true });
    return;
  }
  writeJsonFile(paths.composeOverrides, {
    services: Object.fromEntries(
      services.map(([name, variables]) => [name, { environment: mapValues(variables, double) }]),
    ),
  });
}

const double = (value: string) => value.replaceAll("$", "$$$$");
const undouble = (value: string) => value.replaceAll("$$", "$");

function mapValues(record: Readonly<Record<string, string>>, change: (value: string) => string) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
