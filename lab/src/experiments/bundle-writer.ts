/** A file of a bundle that is written bit by bit while the run goes on. What goes wrong meanwhile is told when it is closed. */

import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";

export class BundleWriter {
  readonly #stream: WriteStream;
  #error: Error | undefined;

  /** A file that is there already is an error: bundles are never edited. */
  constructor(file: string) {
    this.#stream = createWriteStream(file, { flags: "wx" });
    this.#stream.on("error", (error) => {
      this.#error = error;
    });
  }

  write(text: string): void {
    this.#stream.write(text);
  }

  /** @throws what went wrong with writing, a full disk for example */
  async close(): Promise<void> {
    this.#stream.end();
    await finished(this.#stream).catch(() => {});
    if (this.#error) throw this.#error;
  }
}
