/**
 * Watchers by the thousand on one auction, and some that stall. In a thread of the lab and not in k6, which takes three times the processor time
 * for a message: of a thousand watchers at 20 Hz it was late by half a second on two processors, where this thread is by none.
 */

import { Worker } from "node:worker_threads";
import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import { LabError } from "../../../cli/lab-error.ts";
import { type LatencyFigures, latencyFigures } from "../../figures.ts";
import type { CrowdAnswer, CrowdNow, CrowdPlan, CrowdReport, CrowdRequest } from "./messages.ts";

export interface Delivered extends CrowdReport {
  /** Milliseconds; null without a price. */
  readonly latency: LatencyFigures | null;
}

const REPORT_MS = 30_000;

export class Crowd implements AsyncDisposable {
  readonly #thread: Worker;
  #now: CrowdNow = { connected: 0, slowest: undefined, messages: 0, stalled: 0 };
  #report: PromiseWithResolvers<CrowdReport> | undefined;
  #failure: Error | undefined;

  /**
   * Resolves once all are connected.
   * @throws LabError COMMAND_FAILED when one is not let in
   */
  static async gather(plan: CrowdPlan, signal: AbortSignal): Promise<Crowd> {
    const crowd = new Crowd(plan);
    try {
      await crowd.#gathered(signal);
      return crowd;
    } catch (error) {
      await crowd[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(plan: CrowdPlan) {
    this.#thread = new Worker(new URL("./crowd-thread.ts", import.meta.url), { workerData: plan });
    this.#thread.on("message", (answer: CrowdAnswer) => {
      if (answer.tell === "now") this.#now = answer;
      if (answer.tell === "report") this.#report?.resolve(answer);
    });
    const fail = (error: Error) => {
      this.#failure ??= error;
      this.#report?.reject(error);
    };
    this.#thread.on("error", fail);
    this.#thread.on("exit", () => fail(new Error("The watchers' thread has ended.")));
  }

  /** As it was a quarter of a second ago at most. @throws what ended the thread */
  now(): CrowdNow {
    if (this.#failure) throw this.#failure;
    return this.#now;
  }

  /** @param from and `to` in milliseconds since the epoch: prices that arrived between are counted and timed */
  async report(from: number, to: number): Promise<Delivered> {
    if (this.#failure) throw this.#failure;
    const request: CrowdRequest = { from, to };
    const asked = Promise.withResolvers<CrowdReport>();
    this.#report = asked;
    this.#thread.postMessage(request);
    const late = setTimeout(
      () => asked.reject(new Error(`The watchers' thread did not report within ${REPORT_MS} ms.`)),
      REPORT_MS,
    );
    try {
      const report = await asked.promise;
      const { latencies } = report;
      return {
        ...report,
        latency: latencies === undefined ? null : latencyFigures(decodeFromCompressedBase64(latencies)),
      };
    } finally {
      clearTimeout(late);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.terminate();
  }

  #gathered(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const aborted = () => reject(signal.reason);
      if (signal.aborted) aborted();
      signal.addEventListener("abort", aborted, { once: true });
      this.#thread.on("message", (answer: CrowdAnswer) => {
        if (answer.tell === "gathered") resolve();
        if (answer.tell === "failed") reject(notLetIn(answer.reason));
      });
      this.#thread.once("error", reject);
      this.#thread.once("exit", () => reject(new Error("The watchers' thread has ended.")));
    });
  }
}

function notLetIn(reason: string): LabError {
  return new LabError("COMMAND_FAILED", "Not all watchers could connect to the live prices.", {
    reason,
    remedy:
      "See `make logs`; MOST_WATCHERS of bidding-broadcaster and `ulimit -n` bound how many there may be.",
  });
}
