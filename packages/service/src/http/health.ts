/**
 * `/health` for people and load balancers, `/health/live` (the process answers), `/health/ready` (what it
 * needs answers too and it is not draining), `/metrics` for Prometheus, `/openapi.json` for whoever calls it.
 */

import type { ParameterizedContext } from "koa";
import type { Metrics } from "../telemetry/metrics.ts";
import type { HealthPath } from "./health-operations.ts";
import { absentRoute } from "./problem.ts";

/** One thing that the service needs; `check` rejects while it cannot be used. */
export interface ReadinessCheck {
  readonly name: string;
  check(): Promise<unknown>;
}

export interface HealthOptions {
  readonly checks: readonly ReadinessCheck[];
  readonly metrics: Metrics;
  readonly draining: () => boolean;
  /** How long a check may take; 2 s by default. */
  readonly checkTimeoutMs?: number | undefined;
  /** The OpenAPI document as JSON. */
  readonly document?: (() => Promise<string>) | undefined;
}

const CHECK_TIMEOUT_MS = 2000;
/** Probes from several sides must not become load on what is probed. */
const CACHE_MS = 500;

export type Operation = (ctx: ParameterizedContext) => void | Promise<void>;

/** By path. They stand before the router: nothing that a service routes can hide them, and no load refuses them. */
export function createOperations(options: HealthOptions): ReadonlyMap<string, Operation> {
  let cached: { at: number; results: Promise<Record<string, string>> } | undefined;

  function results(): Promise<Record<string, string>> {
    if (cached && performance.now() - cached.at <= CACHE_MS) return cached.results;
    const fresh = {
      at: Number.POSITIVE_INFINITY,
      results: runChecks(options.checks, options.checkTimeoutMs ?? CHECK_TIMEOUT_MS),
    };
    // Shared by all who ask while it runs, and for a while after.
    void fresh.results.then(() => {
      fresh.at = performance.now();
    });
    cached = fresh;
    return fresh.results;
  }

  const answers: Record<Exclude<HealthPath, "/openapi.json">, Operation> = {
    "/health"(ctx) {
      ctx.type = "text/plain";
      ctx.body = "OK";
    },
    "/health/live"(ctx) {
      ctx.body = { status: "live" };
    },
    async "/health/ready"(ctx) {
      const checks = await results();
      const ready = !options.draining() && Object.values(checks).every((result) => result === "ok");
      ctx.status = ready ? 200 : 503;
      ctx.set("Cache-Control", "no-store");
      ctx.body = { status: ready ? "ready" : options.draining() ? "draining" : "not ready", checks };
    },
    async "/metrics"(ctx) {
      ctx.type = options.metrics.registry.contentType;
      ctx.body = await options.metrics.registry.metrics();
    },
  };
  const all = new Map<string, Operation>(Object.entries(answers));
  const { document } = options;
  if (document) {
    all.set("/openapi.json" satisfies HealthPath, async (ctx) => {
      ctx.body = await document();
      ctx.type = "application/json";
    });
  }
  return all;
}

/** @throws MethodNotAllowed for anything but GET and HEAD */
export async function answerOperation(ctx: ParameterizedContext, operation: Operation): Promise<void> {
  if (ctx.method !== "GET" && ctx.method !== "HEAD") {
    throw absentRoute(ctx.path, { method: ctx.method, allowed: ["HEAD", "GET"] });
  }
  await operation(ctx);
}

async function runChecks(
  checks: readonly ReadinessCheck[],
  timeoutMs: number,
): Promise<Record<string, string>> {
  const entries = checks.map(
    async (each) => [each.name, await outcome(() => each.check(), timeoutMs)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

async function outcome(check: () => Promise<unknown>, timeoutMs: number): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late("does not answer")), timeoutMs);
  });
  try {
    await Promise.race([check(), late]);
    return "ok";
  } catch (error) {
    return `not ok: ${describe(error)}`;
  } finally {
    clearTimeout(timer);
  }
}

// Connection errors carry addresses, never credentials; still only their code leaves the service.
function describe(error: unknown): string {
  if (!(error instanceof Error)) return "failed";
  if (error instanceof Late) return error.message;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : error.name;
}

class Late extends Error {}
