/**
 * One line an answer: what a client sent, what it was told and when. Verdicts are passed on these lines and on nothing that
 * a service says about itself; latencies are taken from them too. The lab reads their beginning byte by byte, so the
 * first six fields keep their order.
 */

import exec from "k6/execution";
import type { RefinedResponse, ResponseType } from "k6/http";

export interface Answer {
  /** Milliseconds since the epoch, when the request was begun. */
  readonly at: number;
  /** Milliseconds on the clock from then on until the answer was in. */
  readonly wall_ms: number;
  /** Milliseconds from sending the request to the last byte of its answer, as k6 measures them. */
  readonly ms: number;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The step of the load, which is the name of k6's scenario. */
  readonly step: string;
  /** What was asked for, such as `place`: operations have latencies of their own. */
  readonly op: string;
  /** What the request was about: the order's id. */
  readonly id: string;
  /** k6's code where there was no answer: https://grafana.com/docs/k6/latest/javascript-api/error-codes/ */
  readonly error?: number;
}

/** What else a script knows of an answer, such as the id that it names: `answered_id`. */
export type AnswerDetails = Readonly<Record<string, string | number | null | undefined>>;

type Response = RefinedResponse<ResponseType | undefined>;

/** Makes a request and times it on the clock, which counts what k6's own timings leave out. */
export function timed(request: () => Response): { response: Response; at: number; wallMs: number } {
  const at = Date.now();
  const response = request();
  return { response, at, wallMs: Date.now() - at };
}

/** Writes the line. k6 sends console output to the file that the lab names with --console-output. */
export function record(
  op: string,
  id: string,
  { response, at, wallMs }: ReturnType<typeof timed>,
  details: AnswerDetails = {},
  step = exec.scenario.name,
): void {
  const answer: Answer & AnswerDetails = {
    at,
    // The clock may be set back meanwhile.
    wall_ms: Math.max(0, wallMs),
    ms: response.timings.duration,
    status: response.status,
    step,
    op,
    id,
    ...(response.status === 0 && response.error_code ? { error: response.error_code } : {}),
    ...details,
  };
  console.log(JSON.stringify(answer));
}
