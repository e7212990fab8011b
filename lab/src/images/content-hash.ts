/** Names for content: the same content has the same name on every machine, whatever the order or the time of its files. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Content by name. */
export type Parts = Readonly<Record<string, string | Uint8Array>>;

/** @returns the first 12 hexadecimal digits of a SHA-256, enough to tell the images of one machine apart */
export function contentHash(parts: Parts): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(parts).sort()) {
    const content = parts[name] ?? "";
    // Lengths go in, so that no two sets of parts read alike.
    hash.update(`${name.length}:${name}${Buffer.byteLength(content)}:`).update(content);
  }
  return hash.digest("hex").slice(0, 12);
}

/** Every file below a directory, by its path relative to `root`. */
export function filesBelow(root: string, directory: string): Record<string, Uint8Array> {
  const entries = readdirSync(join(root, directory), { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(root.length + 1).replaceAll("\\", "/"), readFileSync(path)];
      }),
  );
}
