/** Checking input against a zod schema; what is wrong is told field by field. */

import type { z } from "zod";
import { type FieldError, ValidationFailed } from "../errors.ts";

const MOST_ERRORS = 20;

/**
 * `value` as `schema` gives it.
 * @throws ValidationFailed naming each wrong field, 20 at the most
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap(fieldErrors).slice(0, MOST_ERRORS);
  const first = errors[0];
  throw new ValidationFailed(
    first ? `${first.field}: ${first.detail}` : "The body is not what is expected.",
    {
      errors,
    },
  );
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => fieldError([...issue.path, key], "is not a field of this request"));
  }
  return [fieldError(issue.path, issue.message)];
}

function fieldError(path: readonly PropertyKey[], detail: string): FieldError {
  return { field: fieldName(path), pointer: pointer(path), detail };
}

/** `items[0].quantity`; `body` for the whole of it. */
function fieldName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "body";
  return path
    .map((step, at) => (typeof step === "number" ? `[${step}]` : `${at === 0 ? "" : "."}${printable(step)}`))
    .join("");
}

/** RFC 6901, as a URI fragment: `#/items/0/quantity`. */
function pointer(path: readonly PropertyKey[]): string {
  return `#${path.map((step) => `/${fragment(cut(step).replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("")}`;
}

function fragment(text: string): string {
  // A lone surrogate has no percent-encoding: encodeURIComponent throws on it.
  return encodeURIComponent(text.toWellFormed());
}

// A key is the sender's text: cut it and show what cannot be printed, it may go into a terminal.
function printable(step: PropertyKey): string {
  return cut(step).replaceAll(
    /[\p{Cc}\p{Cf}]/gu,
    (c) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

function cut(step: PropertyKey): string {
  return String(step).slice(0, 64);
}
