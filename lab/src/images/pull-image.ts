/**
 * `docker pull`, bounded: a registry that cannot be reached is found out within seconds, a download may take minutes.
 * Through the command, not the engine's API: it knows the user's credentials.
 */
import { runDocker } from "../docker/cli.ts";

export type PullOutcome =
  | { readonly pulled: true }
  | {
      readonly pulled: false;
      /** True when the registry was not reached: asking it for another image is of no use. */
      readonly unreachable: boolean;
      readonly reason: string;
    };

export interface PullOptions {
  signal: AbortSignal;
  /** Milliseconds until the registry must have answered. */
  answerWithin?: number;
  /** Milliseconds until all is here. */
  doneWithin?: number;
  run?: typeof runDocker;
}

const networkFailure =
  /no such host|server misbehaving|connection (refused|reset)|i\/o timeout|network is unreachable|no route to host|TLS handshake timeout|deadline exceeded|Client\.Timeout|proxyconnect|x509|certificate|\bEOF\b/i;

/** Rejects only when `signal` is aborted. */
export async function pullImage(reference: string, options: PullOptions): Promise<PullOutcome> {
  const { signal, answerWithin = 10_000, doneWithin = 600_000, run = runDocker } = options;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), answerWithin);
  const result = await run(["pull", reference], {
    timeout: doneWithin,
    signal: AbortSignal.any([signal, silence.signal]),
    // Its first line comes when the registry has answered with the image's manifest.
    onOutput: (text) => {
      if (/pulling from/i.test(text)) clearTimeout(timer);
    },
  });
  clearTimeout(timer);
  signal.throwIfAborted();
  if (result.code === 0) return { pulled: true };
  if (silence.signal.aborted) {
    const reason = `The registry did not answer within ${answerWithin / 1_000} s.`;
    return { pulled: false, unreachable: true, reason };
  }
  const said = result.stderr.trim().split("\n").at(-1) || result.error?.message || "docker pull failed";
  const reason = said.replace(/^Error response from daemon: /, "");
  return { pulled: false, unreachable: networkFailure.test(said), reason };
}
