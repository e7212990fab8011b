/** `metrics_<system>.csv`: one row a second. Columns are fixed by the first row; later ones are filled or left empty. */

import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";

export type Row = Readonly<Record<string, number | string | undefined>>;

export class MetricsCsv {
  readonly #stream: WriteStream;
  #columns: readonly string[] | undefined;
  #error: Error | undefined;

  constructor(file: string) {
    this.#stream = createWriteStream(file, { flags: "wx" });
    this.#stream.on("error", (error) => {
      this.#error = error;
    });
  }

  write(row: Row): void {
    if (!this.#columns) {
      this.#columns = Object.keys(row);
      this.#stream.write(`${this.#columns.join(",")}\n`);
    }
    this.#stream.write(`${this.#columns.map((column) => cell(row[column])).join(",")}\n`);
  }

  /** @throws what went wrong with writing, a full disk for example */
  async close(): Promise<void> {
    this.#stream.end();
    await finished(this.#stream).catch(() => {});
    if (this.#error) throw this.#error;
  }
}

function cell(value: number | string | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(3);
  return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
