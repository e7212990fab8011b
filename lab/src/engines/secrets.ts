/** Passwords of the engines, made at the first start and kept in LAB_DIR/secrets.json, readable by the owner only. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { readJsonFile, writeJsonFile } from "../util/files.ts";

const schema = z.object({ postgres_password: z.string().min(16) });

/**
 * The Postgres superuser's password; made when there is none yet.
 * @param path LAB_DIR/secrets.json
 */
export function postgresPassword(path: string): string {
  const known = knownPostgresPassword(path);
  if (known !== undefined) return known;
  const made = randomBytes(24).toString("base64url");
  writeJsonFile(path, { postgres_password: made });
  return made;
}

/** The password if it was made already. */
export function knownPostgresPassword(path: string): string | undefined {
  const parsed = schema.safeParse(readJsonFile(path));
  return parsed.success ? parsed.data.postgres_password : undefined;
}
