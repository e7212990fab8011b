/** Ports on 127.0.0.1: free or not, and who holds one. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../cli/lab-error.ts";
import { commandLine } from "./processes.ts";

export interface PortClaim {
  port: number;
  /** The part that wants it. */
  part: string;
  /** The variable that moves it. */
  variable?: string | undefined;
}

/** True when a server could listen on 127.0.0.1:port now. */
export async function isPortFree(port: number): Promise<boolean> {
  // Both ways: some systems let a second server bind the address while another one has the wildcard.
  return !(await canConnect(port)) && (await canListen(port));
}

/** A process that was killed is gone from the process table before the last of its threads has let go of its sockets. */
const LETTING_GO_MS = 1000;

/**
 * Checks all ports at once. One that nobody is seen to hold may be free in a moment: it is waited for.
 * @throws LabError PORT_TAKEN that names every taken port, its holder where known, and the variable that moves it
 */
export async function assertPortsFree(claims: readonly PortClaim[]): Promise<void> {
  const until = performance.now() + LETTING_GO_MS;
  let taken = await takenOf(claims);
  while (taken.some(({ port }) => holderOf(port) === undefined) && performance.now() < until) {
    await sleep(20);
    taken = await takenOf(taken);
  }
  if (taken.length === 0) return;
  const variables = taken.flatMap(({ variable }) => (variable === undefined ? [] : [variable]));
  const move = variables.length === 0 ? "" : `, or set ${variables.join(" and ")} to a free port`;
  throw new LabError(
    "PORT_TAKEN",
    `${taken.map(({ port, part }) => `Port ${port} (${part})`).join(", ")} ${taken.length === 1 ? "is" : "are"} taken; nothing was started.`,
    {
      reason: `${taken.map(({ port }) => describeHolder(port)).join("; ")}.`,
      remedy: `Stop what listens there${move}.`,
    },
  );
}

async function takenOf(claims: readonly PortClaim[]): Promise<readonly PortClaim[]> {
  const checked = await Promise.all(
    claims.map(async (claim) => ({ claim, free: await isPortFree(claim.port) })),
  );
  return checked.filter(({ free }) => !free).map(({ claim }) => claim);
}

/** "pid 123 (node server.js) listens on 127.0.0.1:8080", as far as the system tells. */
export function describeHolder(port: number): string {
  const pid = holderOf(port);
  if (pid === undefined)
    return `another program listens on 127.0.0.1:${port} (the system does not tell which)`;
  return `pid ${pid} (${commandLine(pid) ?? "command unknown"}) listens on 127.0.0.1:${port}`;
}

const lowest = 10_000;
const blocks = 200;
const blockSize = 100;
/** Of this process's blocks, those that it has not handed out: each is handed out once, however many are asked for at a time. */
let left: Promise<number[]> = Promise.resolve([]);

/**
 * A port that was free a moment ago, and that no other process is given: a server that is killed must find it free when it is
 * started again. Below the range from which systems draw the ports of outgoing connections, one of which could take it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    left = left.then(async (ports) => (ports.length > 0 ? ports : await claimBlock()));
    const port = (await left).shift();
    if (port !== undefined && (await isPortFree(port))) return port;
  }
}

/**
 * The ports of a block but its first, which is bound until this process ends: that is the claim.
 * @throws LabError PORT_TAKEN when all blocks are claimed
 */
async function claimBlock(): Promise<number[]> {
  for (let block = 0; block < blocks; block += 1) {
    const first = lowest + ((process.pid + block) % blocks) * blockSize;
    const claim = createServer().unref();
    const claimed = new Promise<boolean>((resolve) => {
      claim.once("error", () => resolve(false));
      claim.listen({ port: first, host: "127.0.0.1", exclusive: true }, () => resolve(true));
    });
    if (await claimed) return Array.from({ length: blockSize - 1 }, (_, at) => first + 1 + at);
  }
  throw new LabError("PORT_TAKEN", "No block of ports is free between 10000 and 30000.");
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const answer = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.setTimeout(1_000, () => answer(true));
    socket.once("connect", () => answer(true));
    socket.once("error", () => answer(false));
  });
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The pid that listens on the port; only Linux tells, and only for one's own processes unless one is root. */
function holderOf(port: number): number | undefined {
  const inodes = new Set(
    ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => listeningInodes(table, port)),
  );
  if (inodes.size === 0) return undefined;
  for (const name of list("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    for (const descriptor of list(`/proc/${name}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkTarget(`/proc/${name}/fd/${descriptor}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) return Number(name);
    }
  }
  return undefined;
}

function listeningInodes(table: string, port: number): string[] {
  const listening = "0A";
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  let text: string;
  try {
    text = readFileSync(table, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const inode = fields[9];
    return fields[1]?.endsWith(suffix) && fields[3] === listening && inode !== undefined ? [inode] : [];
  });
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
