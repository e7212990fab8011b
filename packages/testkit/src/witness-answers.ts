/**
 * Holds every answer of a server under test against its OpenAPI document: the status must be listed for the
 * operation, the body must match the schema of that status and kind, headers that tell something must be described.
 */

import type { RequestListener, ServerResponse } from "node:http";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
}

interface DocumentedOperation {
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
}

interface DocumentedResponse {
  /** None: there is no body. */
  readonly content?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly "x-problem-codes"?: readonly string[];
}

interface SeenAnswer {
  readonly method: string;
  /** As it was asked for. */
  readonly target: string;
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface WitnessedAnswers {
  /** The server's listener, watched. */
  readonly listener: RequestListener;
  readonly answers: number;
  /** What was not true, each in a line. */
  readonly untrue: readonly string[];
}

/** Those that an answer must not carry undescribed. */
const TELLING = [
  "location",
  "retry-after",
  "idempotency-replayed",
  "allow",
  "accept",
  "accept-encoding",
  "cache-control",
];
const PROBLEM = "application/problem+json";

export function witnessAnswers(listener: RequestListener, document: OpenApi): WitnessedAnswers {
  const untrue: string[] = [];
  const check = createCheck(document);
  let answers = 0;
  return {
    listener(request, response) {
      const body = collectBody(response);
      const written = collectWrittenHeaders(response);
      response.once("finish", () => {
        answers += 1;
        const answer = {
          method: request.method ?? "",
          target: request.url ?? "",
          status: response.statusCode,
          headers: new Map([
            ...Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)] as const),
            ...written,
          ]),
          body: body(),
        };
        for (const why of check(answer)) {
          untrue.push(`${answer.method} ${answer.target.slice(0, 100)} ${answer.status}: ${why}`);
        }
      });
      listener(request, response);
    },
    get answers() {
      return answers;
    },
    untrue,
  };
}

/** What will have been written to `response`, as text. */
function collectBody(response: ServerResponse): () => string {
  const chunks: Buffer[] = [];
  const collect = (chunk: unknown) => {
    if (typeof chunk === "string" || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  };
  for (const name of ["write", "end"] as const) {
    const original = response[name].bind(response) as (...args: unknown[]) => never;
    response[name] = ((...args: unknown[]) => {
      collect(args[0]);
      return original(...args);
    }) as never;
  }
  return () => Buffer.concat(chunks).toString("utf8");
}

/** Headers that will have been handed to `writeHead` as a list, name by value, which are not among those that are set. */
function collectWrittenHeaders(response: ServerResponse): ReadonlyMap<string, string> {
  const written = new Map<string, string>();
  const original = response.writeHead.bind(response) as (...args: unknown[]) => never;
  response.writeHead = ((...args: unknown[]) => {
    const list = args.find((argument) => Array.isArray(argument)) as string[] | undefined;
    for (let at = 0; list && at < list.length; at += 2) {
      written.set(String(list[at]).toLowerCase(), String(list[at + 1]));
    }
    return original(...args);
  }) as never;
  return written;
}

function createCheck(document: OpenApi) {
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true });
  addFormats.default(ajv);
  ajv.addSchema(document, "document", undefined, false);
  const compiled = new Map<string, ValidateFunction>();

  function bodyErrors(pointer: string, value: unknown): string[] {
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `document#${pointer}` });
    compiled.set(pointer, validate);
    if (validate(value)) return [];
    return [`the body does not match: ${ajv.errorsText(validate.errors)}`];
  }

  return ({ method, target, status, headers, body }: SeenAnswer): string[] => {
    const isHead = method === "HEAD";
    const verb = isHead ? "get" : method.toLowerCase();
    const kind = (headers.get("content-type") ?? "").split(";")[0] ?? "";
    const path = findPath(document, target);
    const operation = path === undefined ? undefined : document.paths[path]?.[verb];
    if (path === undefined || !operation) {
      // No such route: there is nothing to describe but that it is told as a problem.
      const expected = path === undefined ? [400, 404, 405] : [405];
      if (expected.includes(status) && kind === PROBLEM) return [];
      return [`it is answered ${kind} although the document has no such operation`];
    }
    const response = operation.responses[status];
    if (!response) return ["this status is not listed"];
    const wrong: string[] = [];
    for (const name of TELLING) {
      if (headers.has(name) && !has(response, name)) wrong.push(`the header ${name} is not described`);
    }
    for (const [name, { required }] of Object.entries(response.headers ?? {})) {
      if (required && !headers.has(name.toLowerCase())) wrong.push(`the header ${name} is missing`);
    }
    if (!response.content) return body === "" ? wrong : [...wrong, "it has a body, and none is described"];
    if (!(kind in response.content)) return [...wrong, `the kind ${kind} is not listed`];
    if (isHead) return wrong;
    const value: unknown = kind.endsWith("json") ? JSON.parse(body) : body;
    const steps = ["paths", path, verb, "responses", String(status), "content", kind, "schema"];
    wrong.push(...bodyErrors(steps.map((step) => `/${escapeStep(step)}`).join(""), value));
    const codes = response["x-problem-codes"];
    if (kind === PROBLEM && codes && !codes.includes((value as { code: string }).code)) {
      wrong.push(`the code ${(value as { code: string }).code} is not listed`);
    }
    return wrong;
  };
}

function has(response: DocumentedResponse, header: string): boolean {
  return Object.keys(response.headers ?? {}).some((name) => name.toLowerCase() === header);
}

/** The path of the document that `target` is at: one without parameters before one with. */
function findPath(document: OpenApi, target: string): string | undefined {
  const [path = ""] = target.split("?", 1);
  if (path in document.paths) return path;
  return Object.keys(document.paths).find((template) => {
    if (!template.includes("{")) return false;
    const pattern = template.replaceAll(/[.]/g, "\\.").replaceAll(/\{\w+\}/g, "[^/]+");
    return new RegExp(`^${pattern}$`).test(path);
  });
}

/** Of a JSON pointer in a URI fragment. */
function escapeStep(step: string): string {
  return encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"));
}
