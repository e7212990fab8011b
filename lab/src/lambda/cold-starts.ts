/**
 * Making the next order meet no warm environment, order after order, until enough have. The function's configuration is as it was
 * before when this is over, so that the lab's next start finds it as it should be.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { messageOf } from "../cli/lab-error.ts";
import { endEnvironments, forgetMark } from "./deploy.ts";

export interface ColdStarts extends AsyncDisposable {
  /** What went wrong with it, if anything did: some order may have met a warm environment then. */
  readonly trouble: string | undefined;
}

export interface ColdStartsOptions {
  readonly client: LambdaClient;
  readonly functionName: string;
  /** Orders that are to meet a new environment, one at a time. */
  readonly orders: number;
  /** Invocations that have ended by now. */
  invocations(): Promise<number>;
  readonly pollMs?: number;
  /** Told when the configuration could not be put back: no reason for a run to fail. */
  onLeftover?(text: string): void;
}

const PUT_BACK_MS = 15_000;

/** Resolves when the first order will be a cold start. The rest is done beside the load, each as soon as the one before has ended. */
export async function makeColdStarts(options: ColdStartsOptions): Promise<ColdStarts> {
  const { client, functionName, orders, invocations, pollMs = 250 } = options;
  const over = new AbortController();
  const { signal } = over;
  // Of a run's own, so that each changes the configuration.
  const run = Date.now().toString(36);
  await endEnvironments(client, functionName, `${run}-0`, signal);
  let trouble: string | undefined;

  async function goOn(): Promise<void> {
    for (let ended = 0; ended < orders - 1 && !signal.aborted; ) {
      try {
        const now = await invocations();
        if (now > ended && now < orders) await endEnvironments(client, functionName, `${run}-${now}`, signal);
        ended = Math.max(ended, now);
      } catch (error) {
        trouble = messageOf(error);
      }
      await sleep(pollMs, undefined, { signal }).catch(() => {});
    }
  }

  const done = goOn();
  return {
    get trouble() {
      return trouble;
    },
    async [Symbol.asyncDispose]() {
      over.abort(new Error("The run is over"));
      await done;
      const late = AbortSignal.timeout(PUT_BACK_MS);
      await forgetMark(client, functionName, late).catch((error: unknown) => {
        const why = late.aborted ? `Lambda took longer than ${PUT_BACK_MS / 1000} s` : messageOf(error);
        options.onLeftover?.(
          `The function ${functionName} keeps a variable of this run until the next "make up": ${why}`,
        );
      });
    },
  };
}
