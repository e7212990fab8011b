/**
 * The certificates that this machine trusts, for the package managers inside a build: behind a proxy that opens TLS they
 * need the proxy's. Given to builds as a secret, so that no layer holds them.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { writeTextFile } from "../util/files.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * The system's bundle and those that the environment names, in one: some programs take a bundle in place of their own.
 * @param places where systems keep theirs; the first that is there counts
 * @returns undefined when there is none
 */
export function hostCertificates(env: Environment, places = systemBundles): string | undefined {
  const system = places.map(readText).find((text) => text !== undefined);
  const named = [env.SSL_CERT_FILE, env.NODE_EXTRA_CA_CERTS].map((path) => path && readText(path));
  const texts = new Set([system, ...named].filter((text) => text !== undefined && text !== ""));
  return texts.size === 0 ? undefined : [...texts].join("\n");
}

/** Writes them down for `docker build --secret`; returns the path, or undefined when there is none. */
export function writeCertificates(env: Environment, path: string): string | undefined {
  const text = hostCertificates(env);
  if (text === undefined) return undefined;
  mkdirSync(dirname(path), { recursive: true });
  // In one step: another build may be reading it.
  writeTextFile(path, text);
  return path;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
