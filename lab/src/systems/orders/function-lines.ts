/** The log of the function that takes a lab's orders, as a part's: it goes by the name of the processor, in whose place it is. */

import type { LogLine, Runtime } from "../../runtimes/runtime.ts";
import { brokerAccess } from "./order-queue.ts";

export const FUNCTION_PART = "orders-processor";

/** Undefined for a lab whose orders go to workers, and for one that does not run: what the function wrote is gone with it. */
export async function functionLines(
  runtime: Pick<Runtime, "variables" | "endpoint">,
  options: { readonly tail: number; readonly follow: boolean; readonly signal: AbortSignal },
): Promise<AsyncIterable<LogLine> | undefined> {
  const access = await brokerAccess(runtime).catch(() => undefined);
  if (access?.kind !== "sns-sqs" || access.functionTopic === undefined) return undefined;
  // Loaded when they are needed: few labs have a function.
  const [{ logsClient }, { functionLogs }, { ORDERS_FUNCTION }] = await Promise.all([
    import("../../lambda/clients.ts"),
    import("../../lambda/function-logs.ts"),
    import("../../lambda/orders-function.ts"),
  ]);
  const client = logsClient(access);
  return (async function* () {
    try {
      const lines = functionLogs(client, ORDERS_FUNCTION.name, options);
      for await (const line of lines) yield { part: FUNCTION_PART, line };
    } finally {
      client.destroy();
    }
  })();
}
