/** A server on a unix socket in the place of the Docker engine. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";

export interface FakeEngine extends AsyncDisposable {
  /** Path of its socket. */
  readonly socket: string;
  /** Resolves when its clients have hung up. */
  idle(): Promise<void>;
}

export async function startFakeEngine(answer: RequestListener): Promise<FakeEngine> {
  // Not in the repository: a socket's path may not be long.
  const dir = mkdtempSync(join(tmpdir(), "parallax-engine-"));
  const socket = join(dir, "s");
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    idle: () => waitFor("clients to hang up", async () => (await connections(server)) === 0).then(() => {}),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
