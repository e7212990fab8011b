/** The OpenAPI 3.1 document of a service, made from the table of its operations by zod-openapi. */

import { z } from "zod";
import type {
  ZodOpenApiOperationObject,
  ZodOpenApiPathsObject,
  ZodOpenApiResponseObject,
  ZodOpenApiResponsesObject,
} from "zod-openapi";
import {
  BadRequest,
  BodyMissing,
  BodyTooLarge,
  ExpectationFailed,
  HeadersTooLarge,
  Internal,
  MalformedBody,
  Overloaded,
  RequestTimeout,
  UnsupportedMediaType,
  ValidationFailed,
} from "../errors.ts";
import { healthOperations } from "./health-operations.ts";
import type { About, DescribedAnswer, DescribedOperation, ErrorClass } from "./operations.ts";
import { problemSchema } from "./problem-schema.ts";

const ANY_REQUEST = [BadRequest, RequestTimeout, ExpectationFailed, HeadersTooLarge, Internal] as const;
const WITH_BODY = [BodyMissing, MalformedBody, BodyTooLarge, UnsupportedMediaType, ValidationFailed] as const;

const anyRequestHeaders = z.object({
  traceparent: z
    .string()
    .optional()
    .meta({ description: "W3C Trace Context; what is wrong is ignored, and a new trace begins." }),
  "X-Request-Id": z
    .string()
    .optional()
    .meta({ description: "Up to 64 letters, digits or . _ : -; one is made where there is none." }),
});

const requestId: z.ZodType = z.string().optional().meta({
  description: "What to quote when asking about this request. Absent where it could not be read at all.",
});
const retryAfter: z.ZodType = z.string().regex(/^\d+$/).optional().meta({ description: "Seconds." });

/** What else comes with an error, by its status. */
const problemHeaders: Readonly<Record<number, Record<string, z.ZodType>>> = {
  409: { "Retry-After": retryAfter },
  415: {
    Accept: z.string().optional().meta({ description: "The media type that is taken." }),
    "Accept-Encoding": z.string().optional().meta({ description: "The content encoding that is taken." }),
  },
  503: { "Retry-After": retryAfter },
};

/**
 * The whole document: these operations and those that every service has.
 * zod-openapi is loaded when it is first asked for: most processes are never asked.
 */
export async function openApiDocument(about: About, operations: readonly DescribedOperation[]) {
  const { createDocument } = await import("zod-openapi");
  const paths: ZodOpenApiPathsObject = {};
  for (const operation of operations) {
    const problems = [
      ...ANY_REQUEST,
      Overloaded,
      ...(operation.body ? WITH_BODY : operation.query ? [ValidationFailed] : []),
      ...(operation.problems ?? []),
    ];
    add(paths, operation, problems);
  }
  for (const operation of Object.values(healthOperations)) add(paths, operation, ANY_REQUEST);
  return createDocument({
    openapi: "3.1.0",
    info: {
      ...about,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths,
  });
}

function add(
  paths: ZodOpenApiPathsObject,
  operation: DescribedOperation,
  problems: readonly ErrorClass[],
): void {
  const path = paths[operation.path] ?? {};
  path[operation.method] = describe(operation, problems);
  paths[operation.path] = path;
}

function describe(operation: DescribedOperation, problems: readonly ErrorClass[]): ZodOpenApiOperationObject {
  const { id, summary, description, params, query, body } = operation;
  const responses: ZodOpenApiResponsesObject = {};
  for (const [status, answer] of Object.entries(operation.answers)) {
    responses[status as `${2 | 4 | 5}${string}`] = success(answer);
  }
  for (const [status, classes] of Map.groupBy(new Set(problems), ({ spec }) => spec.status)) {
    responses[`${status}` as `${4 | 5}${string}`] ??= problem(
      status,
      classes,
      operation.problemHeaders?.[status],
    );
  }
  return {
    operationId: id,
    summary,
    ...(description && { description }),
    requestParams: {
      header: anyRequestHeaders.extend(operation.headers?.shape ?? {}),
      ...(params && { path: params }),
      ...(query && { query }),
    },
    ...(body && { requestBody: { required: true, content: { "application/json": { schema: body } } } }),
    responses,
  };
}

function success(answer: DescribedAnswer): ZodOpenApiResponseObject {
  const { description, schema, contentType = "application/json", alternatives = {}, headers } = answer;
  const kinds = Object.entries({ ...(schema && { [contentType]: schema }), ...alternatives });
  return {
    description,
    headers: z.object({ "X-Request-Id": requestId, ...headers }),
    ...(kinds.length > 0 && {
      content: Object.fromEntries(kinds.map(([kind, schema]) => [kind, { schema }])),
    }),
  };
}

function problem(
  status: number,
  classes: readonly ErrorClass[],
  headers: Readonly<Record<string, z.ZodType>> = {},
): ZodOpenApiResponseObject {
  const lines = classes.map(({ spec }) => `- \`${spec.code}\`: ${spec.title}.`);
  return {
    description: lines.join("\n"),
    // The document's reader sees the codes in the text; a program, and the tests, find them here.
    "x-problem-codes": classes.map(({ spec }) => spec.code),
    headers: z.object({ "X-Request-Id": requestId, ...problemHeaders[status], ...headers }),
    content: { "application/problem+json": { schema: problemSchema } },
  };
}
