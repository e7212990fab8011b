/** Problem documents (RFC 9457): how an error looks to whoever made the request. */

import type { ParameterizedContext } from "koa";
import {
  type ErrorDetails,
  type ErrorSpec,
  type FieldError,
  Internal,
  MethodNotAllowed,
  RouteNotFound,
  ServiceError,
} from "../errors.ts";
import type { ServiceState } from "./app.ts";
import { answerJson } from "./json-answer.ts";
import type { ErrorClass } from "./operations.ts";

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly retryable: boolean;
  readonly errors?: readonly FieldError[];
  readonly instance?: string;
}

const PROBLEM_TYPE = "application/problem+json";

/** `instance` is the request's id: what to quote when asking about it. Internal causes are never shown. */
export function toProblem(error: ServiceError, requestId?: string): Problem {
  return problemOf(error, error.message, error.details, requestId);
}

function problemOf(spec: ErrorSpec, detail: string, details: ErrorDetails, requestId?: string): Problem {
  const { code, status, title, retryable = false } = spec;
  return {
    ...details.extensions,
    type: `urn:parallax:problem:${code.toLowerCase().replaceAll("_", "-")}`,
    title,
    status,
    detail,
    code,
    retryable,
    ...(details.errors && { errors: details.errors }),
    ...(requestId !== undefined && { instance: `urn:request:${requestId}` }),
  };
}

/**
 * Answers as if an error of this class had been thrown. For refusals that are as frequent as successes: an error knows where it was
 * made, and to find that out costs more than all the rest of such an answer.
 */
export function answerRefusal(
  ctx: ParameterizedContext<ServiceState>,
  { spec }: ErrorClass,
  detail: string,
  extensions: Readonly<Record<string, unknown>>,
): void {
  answerJson(ctx, spec.status, problemOf(spec, detail, { extensions }, ctx.state.requestId), PROBLEM_TYPE);
}

export function absentRoute(path: string, known?: { method: string; allowed: string[] }): ServiceError {
  if (known && known.allowed.length > 0) {
    const allow = known.allowed.join(", ");
    return new MethodNotAllowed(`${known.method} is not possible here; ${allow} is.`, {
      headers: { Allow: allow },
    });
  }
  return new RouteNotFound(`Nothing is served at ${JSON.stringify(path.slice(0, 200))}.`);
}

/** Writes `error` as the answer; anything that is not a ServiceError becomes a 500 that tells nothing. */
export function answerProblem(ctx: ParameterizedContext<ServiceState>, thrown: unknown): void {
  const error = asServiceError(thrown);
  const { details } = error;
  if (details.headers) ctx.set(details.headers as Record<string, string>);
  if (details.retryAfterSeconds !== undefined)
    ctx.set("Retry-After", String(Math.ceil(details.retryAfterSeconds)));
  answerJson(ctx, error.status, toProblem(error, ctx.state.requestId), PROBLEM_TYPE);
}

function asServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown;
  return new Internal("Something went wrong inside the service; its log has the request's id.", {
    cause: thrown,
  });
}
