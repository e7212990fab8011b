import { buildApp } from "fauxqs";

/** SNS and SQS in this process, on a port of its own. */
export interface TestEmulator extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  /** Closes the port; `startEmulator(port)` comes back on it, empty as after a restart of a real one. */
  stop(): Promise<void>;
}

export async function startEmulator(port = 0): Promise<TestEmulator> {
  const app = buildApp({ logger: false, defaultRegion: "us-west-2" });
  const endpoint = await app.listen({ host: "127.0.0.1", port });
  const stop = () => app.close();
  return { endpoint, port: Number(new URL(endpoint).port), stop, [Symbol.asyncDispose]: stop };
}
