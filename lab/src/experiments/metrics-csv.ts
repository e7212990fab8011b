/** `metrics_<system>.csv`: one row a second. Columns are fixed by the first row; later ones are filled or left empty. */

import { BundleWriter } from "./bundle-writer.ts";

/** Its name in a bundle. */
export function metricsFile(system: string): string {
  return `metrics_${system}.csv`;
}

export type Row = Readonly<Record<string, number | string | undefined>>;

export class MetricsCsv {
  readonly #file: BundleWriter;
  #columns: readonly string[] | undefined;

  constructor(file: string) {
    this.#file = new BundleWriter(file);
  }

  write(row: Row): void {
    if (!this.#columns) {
      this.#columns = Object.keys(row);
      this.#file.write(`${this.#columns.join(",")}\n`);
    }
    this.#file.write(`${this.#columns.map((column) => cell(row[column])).join(",")}\n`);
  }

  /** @throws what went wrong with writing, a full disk for example */
  async close(): Promise<void> {
    await this.#file.close();
  }
}

function cell(value: number | string | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(3);
  return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
