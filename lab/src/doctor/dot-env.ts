/** The file .env: whether what it sets are settings. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { settingsSchema } from "../settings.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

export function checkDotEnv({ root }: Pick<Examination, "root">): Finding[] {
  const check = ".env";
  let names: string[];
  try {
    names = Object.keys(parseEnv(readFileSync(join(root, ".env"), "utf8")));
  } catch {
    const found = "none; every setting has its default or comes from the environment";
    return [{ check, state: "ok", found }];
  }
  const unknown = names.filter((name) => !(name in settingsSchema.shape));
  if (unknown.length === 0) return [{ check, state: "ok", found: `${names.length} settings, all valid` }];
  const found = `no such settings: ${unknown.join(", ")}`;
  return [{ check, state: "warn", found, fix: "Compare the names with .env.example." }];
}
