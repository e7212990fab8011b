/**
 * Lines on their way to a file descriptor, handed on by the batch: a write to the system for each would cost more than the line,
 * and a growing text that is looked at with each line costs its length each time.
 */

import { type DestinationStream, pino } from "pino";

/** Characters. */
const BATCH = 32 * 1024;
const LONGEST_WAIT_MS = 250;

export class LineBatches implements DestinationStream {
  readonly #sink: ReturnType<typeof pino.destination>;
  #lines: string[] = [];
  #length = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param descriptor which is open */
  constructor(descriptor: number) {
    // What is shorter waits there until it is flushed. It begins to write a batch at once, which `flushSync` could no longer do itself:
    // a process that exits meanwhile may not get to it.
    this.#sink = pino.destination({
      dest: descriptor,
      sync: false,
      minLength: BATCH - 1,
      maxWrite: 2 * BATCH,
    });
    process.on("exit", () => this.flushSync());
  }

  write(line: string): void {
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#length >= BATCH) this.#handOn();
    else this.#timer ??= setTimeout(() => this.flush(), LONGEST_WAIT_MS).unref();
  }

  /** Calls back when all lines so far are written, or cannot be. */
  flush(done?: (error?: Error) => void): void {
    this.#handOn();
    this.#sink.flush(done);
  }

  flushSync(): void {
    this.#handOn();
    this.#sink.flushSync();
  }

  #handOn(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#length === 0) return;
    const text = this.#lines.join("");
    this.#lines = [];
    this.#length = 0;
    this.#sink.write(text);
  }
}
