/** Noticing that nobody waits for an answer any more. */

import type { ParameterizedContext } from "koa";

/** Aborted when the connection closes before the answer has been sent. */
export function callerGone(ctx: ParameterizedContext): AbortSignal {
  const gone = new AbortController();
  const { res } = ctx;
  const tell = () => {
    if (!res.writableFinished) gone.abort(new Error("The caller hung up"));
  };
  if (res.closed || res.destroyed) tell();
  else res.once("close", tell);
  return gone.signal;
}
