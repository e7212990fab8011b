/** One line of progress: rewritten in place on a terminal, printed now and then elsewhere. */

import type { Sink } from "./output.ts";

/** Off a terminal a line a second would drown the log it goes to. */
const PRINT_EVERY_MS = 5000;

export class Progress {
  readonly #sink: Sink;
  #shown = 0;
  #printedAt = Number.NEGATIVE_INFINITY;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  show(text: string): void {
    if (this.#sink.isTTY) {
      this.#sink.write(`\r${text.padEnd(this.#shown)}`);
      this.#shown = text.length;
    } else if (performance.now() - this.#printedAt >= PRINT_EVERY_MS) {
      this.#sink.write(`${text}\n`);
      this.#printedAt = performance.now();
    }
  }

  /** Leaves the place clean for what is written next. */
  clear(): void {
    if (this.#sink.isTTY && this.#shown > 0) this.#sink.write(`\r${" ".repeat(this.#shown)}\r`);
    this.#shown = 0;
  }
}
