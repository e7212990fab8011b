/** What every service answers about itself, described: the table that `createOperations` answers. */

import { z } from "zod";
import type { DescribedOperation } from "./operations.ts";

const checks = z
  .record(z.string(), z.string())
  .meta({ description: "By what is needed: `ok`, or `not ok:` and why." });
const noStore = z.string().optional().meta({ description: "no-store" });
const readiness = (status: "ready" | "not ready") => ({
  schema: z.object({
    status: status === "ready" ? z.literal("ready") : z.enum(["not ready", "draining"]),
    checks,
  }),
  headers: { "Cache-Control": noStore },
});

export const healthOperations = {
  "/health": {
    method: "get",
    path: "/health",
    id: "health",
    summary: "OK while the process answers; for people and load balancers",
    answers: {
      200: { description: "It answers.", contentType: "text/plain", schema: z.literal("OK") },
    },
  },
  "/health/live": {
    method: "get",
    path: "/health/live",
    id: "live",
    summary: "Whether the process answers",
    answers: { 200: { description: "It does.", schema: z.object({ status: z.literal("live") }) } },
  },
  "/health/ready": {
    method: "get",
    path: "/health/ready",
    id: "ready",
    summary: "Whether what it needs answers too, and it is not stopping",
    answers: {
      200: { description: "Send it work.", ...readiness("ready") },
      503: { description: "Send it none now.", ...readiness("not ready") },
    },
  },
  "/metrics": {
    method: "get",
    path: "/metrics",
    id: "metrics",
    summary: "Metrics, in Prometheus's text format",
    answers: {
      200: { description: "All of them.", contentType: "text/plain", schema: z.string() },
    },
  },
  "/openapi.json": {
    method: "get",
    path: "/openapi.json",
    id: "openapi",
    summary: "This document",
    answers: {
      200: { description: "OpenAPI 3.1.", schema: z.looseObject({ openapi: z.string() }) },
    },
  },
} as const satisfies Readonly<Record<string, DescribedOperation>>;

export type HealthPath = keyof typeof healthOperations;
