/**
 * The guardian outlives a supervisor that is killed with SIGKILL and ends what that one leaves behind. It is a small shell
 * in a session of its own that reads a pipe held open by the supervisor alone: `+ <pid> <signal>` and `- <pid>` keep its
 * list, `bye` dismisses it, and the end of the pipe means the supervisor is gone: each process group on the list gets its
 * stop signal and, after a grace period, SIGKILL. Windows has no such shell; there the next `up` or `down` sweeps.
 */
import { type ChildProcess, spawn } from "node:child_process";

const graceSeconds = 5;

// Plain POSIX sh. `kill -0` on a group succeeds as long as any member lives; zombies are reaped by init.
const script = `
trap '' INT HUP TERM
list=''
while read -r op pid signal; do
  case "$op" in
    +) list="$list $pid:$signal" ;;
    -) kept=''
       for entry in $list; do [ "\${entry%%:*}" = "$pid" ] || kept="$kept $entry"; done
       list="$kept" ;;
    bye) exit 0 ;;
  esac
done
for entry in $list; do kill -s "\${entry##*:}" -- "-\${entry%%:*}" 2>/dev/null; done
tries=0
while [ "$tries" -lt ${graceSeconds * 10} ]; do
  alive=''
  for entry in $list; do kill -0 -- "-\${entry%%:*}" 2>/dev/null && alive=1; done
  [ -n "$alive" ] || exit 0
  sleep 0.1
  tries=$((tries + 1))
done
for entry in $list; do kill -s KILL -- "-\${entry%%:*}" 2>/dev/null; done
`;

export class Guardian {
  readonly #wards = new Map<number, string>();
  #child: ChildProcess | undefined;
  #dismissed = false;

  constructor() {
    this.#spawn();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Tells the guardian about a process group; `stopSignal` is what asks it to end. */
  add(pid: number, stopSignal: NodeJS.Signals): void {
    const signal = stopSignal.replace(/^SIG/, "");
    this.#wards.set(pid, signal);
    this.#say(`+ ${pid} ${signal}`);
  }

  /** The process group has ended. */
  remove(pid: number): void {
    this.#wards.delete(pid);
    this.#say(`- ${pid}`);
  }

  /** Everything was stopped in order; the guardian goes away. */
  dismiss(): void {
    this.#dismissed = true;
    this.#say("bye");
    this.#child?.stdin?.end();
  }

  #say(line: string): void {
    this.#child?.stdin?.write(`${line}\n`);
  }

  #spawn(): void {
    if (process.platform === "win32") return;
    const child = spawn("/bin/sh", ["-c", script], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      env: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
      cwd: "/",
    });
    this.#child = child;
    child.stdin.on("error", () => {});
    child.once("error", () => {});
    child.once("exit", () => {
      if (this.#dismissed) return;
      // Somebody ended it. The supervisor is still here, so it gets a new one with the same list.
      this.#spawn();
      for (const [pid, signal] of this.#wards) this.#say(`+ ${pid} ${signal}`);
    });
    child.unref();
    (child.stdin as unknown as { unref?: () => void }).unref?.();
  }
}
