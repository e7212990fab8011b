/**
 * The control channel between commands and the supervisor: a Unix socket (a named pipe on Windows) in a directory that
 * only its owner can enter. One request a connection: a line of JSON there, a line of JSON back. Sizes and times are
 * bounded on both sides.
 */
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { LabError, messageOf, type SerialLabError } from "../../cli/lab-error.ts";

export const requestSchema = z.discriminatedUnion("op", [
  z.object({ op: z.literal("status") }),
  z.object({ op: z.literal("shutdown") }),
  z.object({ op: z.literal("configure"), part: z.string(), environment: z.record(z.string(), z.string()) }),
  z.object({ op: z.literal("variables"), part: z.string(), names: z.array(z.string()) }),
  z.object({ op: z.literal("kill"), part: z.string(), signal: z.string().regex(/^SIG[A-Z0-9]+$/) }),
  z.object({ op: z.literal("start"), part: z.string() }),
  z.object({ op: z.literal("stop"), part: z.string() }),
]);

export type ControlRequest = z.infer<typeof requestSchema>;

interface Answer {
  result?: unknown;
  error?: SerialLabError;
}

const requestLimit = 64 * 1024;
const answerLimit = 1024 * 1024;
const requestTimeout = 5_000;

/** Where the lab in this directory listens. Not below LAB_DIR: socket paths are limited to about 100 bytes. */
export function socketPath(labDir: string): string {
  const name = createHash("sha256").update(labDir).digest("hex").slice(0, 16);
  if (process.platform === "win32") return `\\\\.\\pipe\\parallax-${name}`;
  return join(tmpdir(), `parallax-${process.getuid?.() ?? 0}-${name}`, "control.sock");
}

/**
 * Listens for requests and answers each with what `handle` returns or throws.
 * @throws LabError CONTROL_FAILED when the socket's directory is not safely ours
 */
export async function serveControl(
  path: string,
  handle: (request: ControlRequest) => Promise<unknown>,
): Promise<Server> {
  if (process.platform !== "win32") claimDirectory(dirname(path));
  rmSync(path, { force: true });
  const server = createServer((socket) => serve(socket, handle));
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return server;
}

/** Removes the socket and its directory. */
export function removeControl(path: string): void {
  if (process.platform === "win32") return;
  rmSync(dirname(path), { recursive: true, force: true });
}

/**
 * Sends one request.
 * @param timeout milliseconds until the answer has to be here
 * @throws LabError as thrown by the supervisor, NOT_RUNNING when nobody listens, CONTROL_FAILED when it does not answer
 */
export async function request(path: string, message: ControlRequest, timeout: number): Promise<unknown> {
  const text = await exchange(path, `${JSON.stringify(message)}\n`, timeout);
  const answer = parseAnswer(text);
  if (answer.error !== undefined) throw LabError.from(answer.error);
  return answer.result;
}

function exchange(path: string, line: string, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = "";
    let connected = false;
    const fail = (reason: string, cause?: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      const code = connected ? "CONTROL_FAILED" : "NOT_RUNNING";
      const message = connected ? "The lab's supervisor did not answer." : "The lab is not running.";
      const remedy = connected
        ? 'Run "make down", which also ends a supervisor that hangs.'
        : 'Start it with "make up".';
      reject(new LabError(code, message, { reason, remedy, cause }));
    };
    const timer = setTimeout(() => fail(`There was no answer within ${timeout / 1_000} s.`), timeout);
    socket.setEncoding("utf8");
    socket.once("connect", () => {
      connected = true;
      socket.write(line);
    });
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > answerLimit) fail("Its answer was too long.");
    });
    socket.once("error", (error) => fail(messageOf(error), error));
    socket.once("end", () => {
      clearTimeout(timer);
      if (!text.endsWith("\n")) return fail("It hung up before it had answered.");
      resolve(text);
    });
  });
}

function serve(socket: Socket, handle: (request: ControlRequest) => Promise<unknown>): void {
  let text = "";
  const timer = setTimeout(() => socket.destroy(), requestTimeout);
  socket.setEncoding("utf8");
  socket.on("error", () => {});
  socket.on("close", () => clearTimeout(timer));
  const onData = (chunk: string) => {
    text += chunk;
    const end = text.indexOf("\n");
    if (end < 0 && text.length <= requestLimit) return;
    socket.off("data", onData);
    socket.resume();
    clearTimeout(timer);
    void answer(end < 0 ? undefined : text.slice(0, end), handle).then((reply) => {
      if (socket.writable) socket.end(`${JSON.stringify(reply)}\n`);
    });
  };
  socket.on("data", onData);
}

async function answer(
  line: string | undefined,
  handle: (request: ControlRequest) => Promise<unknown>,
): Promise<Answer> {
  try {
    if (line === undefined) throw new LabError("CONTROL_FAILED", "The request is too long.");
    const result = await handle(requestSchema.parse(JSON.parse(line)));
    return { result: result ?? null };
  } catch (error) {
    const known =
      error instanceof LabError ? error : new LabError("CONTROL_FAILED", messageOf(error), { cause: error });
    return { error: known.toJSON() };
  }
}

function parseAnswer(text: string): Answer {
  try {
    return JSON.parse(text) as Answer;
  } catch (error) {
    throw new LabError("CONTROL_FAILED", "The lab's supervisor answered something else than JSON.", {
      cause: error,
    });
  }
}

/** Makes the directory ours alone. Somebody else's directory of that name, or a link, is refused. */
function claimDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new LabError("CONTROL_FAILED", `${directory} belongs to somebody else.`, {
      reason: "The lab's control socket must be in a directory that only you can enter.",
      remedy: "Remove it, or set TMPDIR to a directory of your own.",
    });
  }
  chmodSync(directory, 0o700);
}
