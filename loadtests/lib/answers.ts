/**
 * One line an answer: what a client sent, what it was told and when. The verdict is passed on these lines
 * and on nothing that a service says about itself.
 */

import type { RefinedResponse, ResponseType } from "k6/http";

export interface Answer {
  /** What the request was about: the order's id. */
  readonly id: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Milliseconds from sending the request to the last byte of its answer. */
  readonly ms: number;
  /** Milliseconds since the epoch, when the answer was in. */
  readonly at: number;
  /** k6's code where there was no answer: https://grafana.com/docs/k6/latest/javascript-api/error-codes/ */
  readonly error?: number;
  /** The id that the answer names, where it names one. */
  readonly answered_id?: string;
}

/** Writes the line. k6 sends console output to the file that the lab names with --console-output. */
export function record(
  id: string,
  response: RefinedResponse<ResponseType | undefined>,
  answeredId?: string,
): void {
  const answer: Answer = {
    id,
    status: response.status,
    ms: response.timings.duration,
    at: Date.now(),
    ...(response.error_code ? { error: response.error_code } : {}),
    ...(answeredId === undefined ? {} : { answered_id: answeredId }),
  };
  console.log(JSON.stringify(answer));
}
