/**
 * Which handler answers a request: the first of the router's routes that matches its path and method. What koa-router does,
 * without a chain of functions made anew for each request; handlers that call each other on are not what services have.
 */

import type Router from "@koa/router";
import type Koa from "koa";
import type { Context, ServiceState } from "./app.ts";

type Handle = (ctx: Context, next: () => Promise<unknown>) => unknown;

interface Route {
  readonly path: string;
  readonly regexp: RegExp;
  readonly names: readonly string[];
  readonly handle: Handle;
}

/** @returns what finds the handler, and tells the context its parameters and the route's path; undefined where there is none */
export function createDispatch(router: Router<ServiceState>) {
  const routes = new Map<string, Route[]>();
  for (const { path, regexp, methods, paramNames, stack } of router.stack) {
    const [handle] = stack;
    if (stack.length !== 1)
      throw new Error(`The route ${String(path)} has ${stack.length} handlers, not one`);
    const route: Route = {
      path: String(path),
      regexp,
      names: paramNames.map(({ name }) => name),
      handle: handle as Handle,
    };
    for (const method of methods) routes.set(method, [...(routes.get(method) ?? []), route]);
  }

  return (ctx: Koa.ParameterizedContext<ServiceState>, path: string): Handle | undefined => {
    for (const route of routes.get(ctx.req.method ?? "") ?? []) {
      const match = route.regexp.exec(path);
      if (!match) continue;
      const routed = ctx as unknown as Context;
      const params: Record<string, string> = {};
      route.names.forEach((name, at) => {
        const value = match[at + 1];
        if (value) params[name] = decoded(value);
      });
      routed.params = params;
      routed._matchedRoute = route.path;
      return route.handle;
    }
    return undefined;
  };
}

/** What is no percent-encoding stays as it is. */
function decoded(value: string): string {
  if (!value.includes("%")) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
