/** The payment provider over HTTP. */

import { PermanentFailure } from "@parallax/messaging/errors";
import { DependencyUnavailable } from "@parallax/service";
import { Pool } from "undici";
import { z } from "zod";
import type { PaymentProvider } from "../domain/ports.ts";

const chargeSchema = z.object({
  charge_id: z.string(),
  order_id: z.string(),
  amount_minor: z.number(),
  charged_at: z.string(),
});

/** The answers that are about this charge. Any other failure (404, 401, 500, …) is about the provider, and may pass. */
const REFUSALS: ReadonlySet<number> = new Set([400, 409, 422]);

export interface HttpPaymentProviderOptions {
  /** Origin, such as http://payments:8090. */
  readonly url: string;
  /** Calls under way at once. */
  readonly connections: number;
  /** Seconds a call may take: waiting in the provider's line is part of it. */
  readonly timeoutSeconds: number;
}

export interface HttpPaymentProvider extends PaymentProvider, AsyncDisposable {}

export function httpPaymentProvider(options: HttpPaymentProviderOptions): HttpPaymentProvider {
  const pool = new Pool(options.url, {
    connections: options.connections,
    pipelining: 1,
    connect: { timeout: 2000 },
    headersTimeout: options.timeoutSeconds * 1000,
    bodyTimeout: 10_000,
  });
  return {
    async charge(request, { signal, traceparent }) {
      const { status, body } = await post(pool, JSON.stringify(request), { signal, traceparent });
      if (status === 200 || status === 201) {
        const charge = chargeSchema.safeParse(body);
        if (charge.success && charge.data.order_id === request.order_id) return charge.data;
        throw new DependencyUnavailable(
          "The payment provider's answer is not the charge that was asked for.",
          {
            cause: charge.error,
          },
        );
      }
      if (REFUSALS.has(status)) {
        throw new PermanentFailure(
          `The payment provider refuses the charge for ${request.order_id}: ${status}`,
        );
      }
      throw new DependencyUnavailable(`The payment provider answers ${status}.`);
    },
    async [Symbol.asyncDispose]() {
      await pool.destroy();
    },
  };
}

async function post(
  pool: Pool,
  body: string,
  { signal, traceparent }: { signal: AbortSignal; traceparent: string },
) {
  try {
    const answer = await pool.request({
      method: "POST",
      path: "/payments",
      headers: { "content-type": "application/json", traceparent },
      body,
      signal,
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: parseOr(text, undefined) };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new DependencyUnavailable("The payment provider does not answer.", { cause: error });
  }
}

function parseOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}
