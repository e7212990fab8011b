/**
 * A client of the Docker engine that never waits for ever: an engine may accept a request and then say nothing (its
 * machine swaps, its disk hangs, it is stopped with SIGSTOP), and neither the engine's API nor Node ends such a call.
 *
 * Each call has time to be *answered*; what is longer than that by its nature is not cut:
 * - a stream (`logs` with follow, `stats`, `events`, attach) is bounded until it begins, not while it runs;
 * - `wait`, and streams that may begin with the first thing to tell, are not bounded at all: hand them an abortSignal;
 * - `stop` and `restart` have the grace that they give on top.
 *
 * A call that is given up rejects with code ETIMEDOUT, as any connection that went silent.
 */
import Docker from "dockerode";

type DialOptions = Parameters<Docker["modem"]["dial"]>[0];
type Answer = NonNullable<Parameters<Docker["modem"]["dial"]>[1]>;

export interface Patience {
  /** Milliseconds for a call that only looks. */
  readonly lookMs: number;
  /** Milliseconds for a call that changes something, or measures the disk. */
  readonly changeMs: number;
}

/** A busy engine takes seconds for a list; removing a container with its layers can take longer on a slow disk. */
const usualPatience: Patience = { lookMs: 30_000, changeMs: 120_000 };

/** @throws when docker-modem cannot read this process's own DOCKER_HOST, which it parses in any case */
export function boundedClient(options: Docker.DockerOptions, patience: Patience = usualPatience): Docker {
  const client = new Docker(options);
  const { modem } = client;
  const dial = modem.dial.bind(modem);
  // Not docker-modem's own `timeout`: it counts silence, so it cuts `wait` and quiet logs, too; it ends a request with
  // an error that looks like a lost connection; and when the head of an answer came already, it reports nothing at all.
  modem.dial = (call, callback) => {
    const limit = timeFor(call, patience);
    if (limit === undefined) return dial(call, callback);
    const late = new AbortController();
    const given = call.abortSignal;
    const abortSignal = given === undefined ? late.signal : AbortSignal.any([given, late.signal]);
    const answer = once(callback);
    const timer = setTimeout(() => {
      answer(silence(call, limit), null);
      late.abort();
    }, limit);
    dial({ ...call, abortSignal }, (error, result) => {
      clearTimeout(timer);
      answer(error, result);
    });
  };
  return client;
}

/** Milliseconds; undefined for what may take any time. */
function timeFor(
  { path, method, options, hijack }: DialOptions,
  { lookMs, changeMs }: Patience,
): number | undefined {
  const endless = /^\/containers\/[^/?]+\/(wait|attach)\b|^\/events\b/.test(path);
  const following = /\/logs\b/.test(path) && Boolean(options?.follow);
  if (endless || following || hijack) return undefined;
  if (/\/(stop|restart)\b/.test(path)) return changeMs + Number(options?.t ?? 0) * 1000;
  return method === "GET" && !path.startsWith("/system/df") ? lookMs : changeMs;
}

function silence({ path, method }: DialOptions, limit: number): Error {
  const asked = `${method ?? "GET"} ${path.replace(/\?.*$/, "")}`;
  const text = `the Docker engine did not answer ${asked} within ${limit / 1000} s`;
  return Object.assign(new Error(text), { code: "ETIMEDOUT" });
}

function once(callback: Answer | undefined): Answer {
  let called = false;
  return (error, result) => {
    if (called) return;
    called = true;
    callback?.(error, result);
  };
}
