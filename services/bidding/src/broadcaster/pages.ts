/**
 * The live page's files, as they are in page/: read once, served with an entity tag and asked for again each time, since their names
 * stay the same from one version to the next.
 */

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { type Context, NotFound } from "@parallax/service";

export interface Pages {
  /** Answers with this file of page/. @throws NotFound */
  send(ctx: Context, name: string): void;
}

interface Page {
  readonly kind: string;
  readonly bytes: Buffer;
  readonly tag: string;
}

const KINDS: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

const HEADERS = {
  "Cache-Control": "no-cache",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    // The WebSocket too, as it is to the same host.
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; "),
};

export async function loadPages(directory = new URL("./page/", import.meta.url)): Promise<Pages> {
  const pages = new Map<string, Page>();
  for (const name of await readdir(directory)) {
    const kind = KINDS[extname(name)];
    if (kind === undefined) continue;
    const bytes = await readFile(new URL(name, directory));
    const tag = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
    pages.set(name, { kind, bytes, tag });
  }
  return {
    send(ctx, name) {
      const page = pages.get(name);
      if (!page) throw new NotFound("There is no such file.");
      ctx.set(HEADERS);
      ctx.type = page.kind;
      ctx.etag = page.tag;
      ctx.status = 200;
      if (ctx.fresh) ctx.status = 304;
      else ctx.body = page.bytes;
    },
  };
}
