/** Reading a JSON body: kind, encoding and size are checked before a byte is parsed. */

import { finished } from "node:stream";
import { parse } from "content-type";
import type { ParameterizedContext } from "koa";
import {
  BodyMissing,
  BodyTooLarge,
  type ErrorDetails,
  MalformedBody,
  type ServiceError,
  UnsupportedMediaType,
} from "../errors.ts";

const DEFAULT_LIMIT = 64 * 1024;
/** What is read and thrown away of a body over the limit, so that its sender can read the answer. */
const DRAIN_LIMIT = 32 * 1024 * 1024;

const EMPTY = Buffer.alloc(0);
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The request's body as JSON.
 * @param limit bytes; 64 KiB by default
 * @throws BodyMissing, BodyTooLarge, UnsupportedMediaType, MalformedBody
 */
export async function jsonBody(ctx: ParameterizedContext, limit = DEFAULT_LIMIT): Promise<unknown> {
  const { req } = ctx;
  const length = req.headers["content-length"];
  const chunked = req.headers["transfer-encoding"] !== undefined;
  if (!chunked && (length === undefined || length === "0")) {
    throw new BodyMissing("Send a JSON object with Content-Type: application/json.");
  }
  requireJson(req.headers["content-type"]);
  const encoding = req.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw new UnsupportedMediaType(
      `Content-Encoding ${JSON.stringify(encoding)} is not taken; send the body as it is.`,
      {
        headers: { "Accept-Encoding": "identity" },
      },
    );
  }
  if (Number(length) > limit) throw tooLarge(limit);
  const bytes = await read(ctx, limit);
  if (bytes.length === 0) throw new BodyMissing("Send a JSON object with Content-Type: application/json.");
  return parseJson(bytes);
}

function requireJson(header: string | undefined): void {
  if (header === "application/json") return;
  const kinds = { headers: { Accept: "application/json" } };
  if (header === undefined)
    throw new UnsupportedMediaType("Content-Type is missing; send application/json.", kinds);
  const { type, parameters } = parsed(header, kinds);
  if (type !== "application/json" && !type.endsWith("+json")) {
    throw new UnsupportedMediaType(
      `Content-Type ${JSON.stringify(type)} is not taken; send application/json.`,
      kinds,
    );
  }
  const charset = parameters.charset?.toLowerCase();
  if (charset !== undefined && charset !== "utf-8" && charset !== "utf8") {
    throw new UnsupportedMediaType(
      `The charset ${JSON.stringify(charset)} is not taken; JSON is UTF-8.`,
      kinds,
    );
  }
}

function parsed(header: string, details: ErrorDetails) {
  try {
    return parse(header);
  } catch (cause) {
    throw new UnsupportedMediaType("Content-Type cannot be understood; send application/json.", {
      ...details,
      cause,
    });
  }
}

/**
 * All of it, as it comes. Listeners stay where they are: the request ends with its body, and what has been decided is not
 * decided again.
 */
function read({ req }: ParameterizedContext, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let first: Buffer | undefined;
    let chunks: Buffer[] | undefined;
    let length = 0;
    req.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        reject(tooLarge(limit));
        first = chunks = undefined;
      } else if (first === undefined) first = chunk;
      else if (chunks === undefined) chunks = [first, chunk];
      else chunks.push(chunk);
    });
    req.on("end", () => resolve(chunks ? Buffer.concat(chunks) : (first ?? EMPTY)));
    req.on("error", (cause) => reject(endedEarly(cause)));
    req.on("close", () => {
      if (!req.complete) reject(endedEarly());
    });
  });
}

function endedEarly(cause?: Error): ServiceError {
  const details = cause === undefined ? {} : { cause };
  return new MalformedBody("The body ended before all of it had arrived.", details);
}

function tooLarge(limit: number): ServiceError {
  return new BodyTooLarge(`The body may have ${limit} bytes at the most.`);
}

function parseJson(bytes: Buffer): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (error) {
    throw new MalformedBody("The body is not valid UTF-8.", { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MalformedBody(`The body is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Takes what still arrives of a refused request and drops it: closing a socket with unread bytes resets it,
 * and the sender would see a broken connection instead of the answer. A connection that outlives the answer
 * is answered at once; on one that closes with it, resolves when all has arrived. Bounded in bytes here and
 * in time by the server.
 */
export async function discardBody(ctx: ParameterizedContext): Promise<void> {
  const { req, res } = ctx;
  if (req.complete || req.destroyed) return;
  let seen = 0;
  req.on("data", (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > DRAIN_LIMIT) req.destroy();
  });
  const arrived = new Promise<void>((resolve) => finished(req, () => resolve()));
  req.resume();
  if (!res.shouldKeepAlive || res.getHeader("connection") === "close") await arrived;
}
