/** The payment provider over HTTP. */

import { PermanentFailure } from "@parallax/messaging/errors";
import { Cancelled, DependencyUnavailable, type Tracing } from "@parallax/service";
import { type Dispatcher, Pool } from "undici";
import { z } from "zod";
import type { CallContext, RevocablePayments } from "../domain/ports.ts";
import { tracedCall } from "./tracing/traced-call.ts";

const chargeSchema = z.object({
  charge_id: z.string(),
  order_id: z.string(),
  amount_minor: z.number(),
  charged_at: z.string(),
});

const cancellationSchema = z.discriminatedUnion("status", [
  z.object({ order_id: z.string(), status: z.enum(["dropped", "in_progress", "superseded"]) }),
  z.object({ order_id: z.string(), status: z.literal("charged"), charge: chargeSchema }),
]);

/** The answers that are about this charge. Any other failure (404, 401, 500, …) is about the provider, and may pass. */
const REFUSALS: ReadonlySet<number> = new Set([400, 409, 422]);

const CONNECT_MS = 2000;
/** Milliseconds that an answer may take which waits in no line. */
const PROMPT_MS = 5000;
/** Calls under way at once that wait in no line. */
const PROMPT_CONNECTIONS = 32;

export interface HttpPaymentProviderOptions {
  /** Origin, such as http://payments:8090. */
  readonly url: string;
  /** Charges under way at once. */
  readonly connections: number;
  /** Seconds a charge may take: waiting in the provider's line is part of it. */
  readonly timeoutSeconds: number;
  readonly tracing?: Tracing | undefined;
}

export interface HttpPaymentProvider extends RevocablePayments, AsyncDisposable {}

export function httpPaymentProvider(options: HttpPaymentProviderOptions): HttpPaymentProvider {
  const common = { pipelining: 1, connect: { timeout: CONNECT_MS }, bodyTimeout: 10_000 };
  const charges = new Pool(options.url, {
    ...common,
    connections: options.connections,
    headersTimeout: options.timeoutSeconds * 1000,
  });
  // A cancellation must not wait behind the charges that it is to take out of the line.
  const prompt = new Pool(options.url, {
    ...common,
    connections: PROMPT_CONNECTIONS,
    headersTimeout: PROMPT_MS,
  });
  const send = (pool: Pool, request: Request, context: CallContext) =>
    options.tracing
      ? tracedCall(options.tracing, { ...request, origin: options.url }, context, (context) =>
          call(pool, request, context),
        )
      : call(pool, request, context);
  return {
    async charge(request, context) {
      const { order_id } = request;
      const body = JSON.stringify(request);
      const answer = await send(charges, { method: "POST", path: "/payments", order_id, body }, context);
      if (answer.status === 200 || answer.status === 201) {
        const charge = chargeSchema.safeParse(answer.body);
        if (charge.success && charge.data.order_id === request.order_id) return charge.data;
        throw notWhatWasAsked("charge", charge.error);
      }
      if (codeOf(answer) === "CANCELLED")
        throw new Cancelled("The payment was cancelled; nothing is charged.");
      if (REFUSALS.has(answer.status)) {
        throw new PermanentFailure(
          `The payment provider refuses the charge for ${request.order_id}: ${answer.status}`,
        );
      }
      throw failed(answer);
    },

    async cancel({ order_id, attempt }, context) {
      const path = `/payments/${encodeURIComponent(order_id)}?attempt=${attempt}`;
      const answer = await send(prompt, { method: "DELETE", path, order_id }, context);
      if (answer.status !== 200) throw failed(answer);
      const cancellation = cancellationSchema.safeParse(answer.body);
      if (cancellation.success && cancellation.data.order_id === order_id) return cancellation.data;
      throw notWhatWasAsked("cancellation", cancellation.error);
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([charges.destroy(), prompt.destroy()]);
    },
  };
}

interface Answer {
  readonly status: number;
  /** Undefined when it is no JSON. */
  readonly body: unknown;
  /** Seconds, when it says so. */
  readonly retryAfter: number | undefined;
}

interface Request {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  /** Which it is about. */
  readonly order_id: string;
  readonly body?: string;
}

async function call(
  pool: Pool,
  { method, path, body }: Request,
  { signal, traceparent }: CallContext,
): Promise<Answer> {
  try {
    const answer = await pool.request({
      method,
      path,
      headers: { traceparent, ...(body !== undefined && { "content-type": "application/json" }) },
      body: body ?? null,
      signal,
    });
    const retryAfter = Number(answer.headers["retry-after"]);
    return {
      status: answer.statusCode,
      body: parseOr(await answer.body.text(), undefined),
      retryAfter: Number.isInteger(retryAfter) && retryAfter > 0 ? retryAfter : undefined,
    };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new DependencyUnavailable("The payment provider does not answer.", { cause: error });
  }
}

function failed({ status, retryAfter }: Answer): Error {
  return new DependencyUnavailable(`The payment provider answers ${status}.`, {
    ...(retryAfter !== undefined && { retryAfterSeconds: retryAfter }),
  });
}

function notWhatWasAsked(what: string, cause: unknown): Error {
  return new DependencyUnavailable(
    `The payment provider's answer is not the ${what} that was asked for.`,
    cause === undefined ? {} : { cause },
  );
}

function codeOf({ body }: Answer): unknown {
  return typeof body === "object" && body !== null && "code" in body ? body.code : undefined;
}

function parseOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}
