/**
 * A service's routes and their description, in one table: a route is there because its operation is on the table,
 * and so is its part of the OpenAPI document. Neither can be without the other.
 */

import Router, { type RouterMiddleware } from "@koa/router";
import type { z } from "zod";
import type { errorClasses } from "../errors.ts";
import type { ServiceState } from "./app.ts";
import { openApiDocument } from "./openapi.ts";

export type ErrorClass = (typeof errorClasses)[number];

export interface DescribedAnswer {
  readonly description: string;
  /** Of its JSON body, or of its text with `contentType`. None: it has no body. */
  readonly schema?: z.ZodType;
  /** `application/json` unless told. */
  readonly contentType?: string;
  /** By content type: what else it may be, as the request asks. */
  readonly alternatives?: Readonly<Record<string, z.ZodType>>;
  /** Besides those that every answer may have. Optional ones are optional in their schema. */
  readonly headers?: Readonly<Record<string, z.ZodType>>;
}

/** What can be asked and answered; all of it ends up in the document. */
export interface DescribedOperation {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** As in OpenAPI: `/orders/{id}`. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** Besides those that every request may have. */
  readonly headers?: z.ZodObject;
  /** Of a JSON body, which is then required. */
  readonly body?: z.ZodType;
  /** By status. */
  readonly answers: Readonly<Record<number, DescribedAnswer>>;
  /** Besides those that every request can be answered with, and those that a body or a query brings along. */
  readonly problems?: readonly ErrorClass[];
  /** Of problems, by status; optional in their schema. */
  readonly problemHeaders?: Readonly<Record<number, Readonly<Record<string, z.ZodType>>>>;
}

export interface Operation extends DescribedOperation {
  readonly handle: RouterMiddleware<ServiceState>;
}

/** Whose document it is; `version` is that of its package. */
export interface About {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

export interface Api {
  readonly router: Router<ServiceState>;
  /** The OpenAPI document as JSON; made once, when it is first asked for. */
  document(): Promise<string>;
}

/** The routes of `operations`, in their order: the first that matches answers. */
export function defineApi(about: About, operations: readonly Operation[]): Api {
  const router = new Router<ServiceState>();
  for (const { method, path, handle } of operations) {
    router[method](path.replaceAll(/\{(\w+)\}/g, ":$1"), handle);
  }
  let made: Promise<string> | undefined;
  return {
    router,
    document() {
      made ??= openApiDocument(about, operations).then((document) => JSON.stringify(document));
      return made;
    },
  };
}
