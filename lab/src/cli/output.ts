/**
 * What people and programs read. Progress and errors go to stderr, results to stdout, so that `--json` output can be
 * piped. Colour only on a terminal and without NO_COLOR; the same text otherwise.
 */
import { styleText } from "node:util";
import { exitCodes } from "./exit-codes.ts";
import { LabError, messageOf } from "./lab-error.ts";

type Style = Parameters<typeof styleText>[0];

/** A place to write text to; process.stdout and process.stderr are two. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Of a terminal. */
  readonly columns?: number | undefined;
}

export interface OutputOptions {
  stdout: Sink;
  stderr: Sink;
  environment: Readonly<Record<string, string | undefined>>;
}

/** Writes steps, tables, results and errors. Throws nothing. */
export class Output {
  readonly #options: OutputOptions;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  /** True when stdout is a terminal. */
  get interactive(): boolean {
    return this.#options.stdout.isTTY === true;
  }

  /** How wide the terminal is; undefined when stdout is none. */
  get columns(): number | undefined {
    return this.interactive ? this.#options.stdout.columns : undefined;
  }

  /** Something has begun. */
  begin(text: string): void {
    this.#progress("dim", "…", text);
  }

  /** Something is done. */
  done(text: string): void {
    this.#progress("green", "✓", text);
  }

  /** Something is wrong that does not end the command. */
  warn(text: string): void {
    this.#progress("yellow", "!", text);
  }

  /** A line of result. */
  line(text = ""): void {
    this.#options.stdout.write(`${text}\n`);
  }

  /** The result as JSON, and nothing else on stdout. */
  json(value: unknown): void {
    this.#options.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** Left-aligned columns, as wide as their widest cell. The first row is the header. */
  table(rows: readonly (readonly string[])[]): void {
    const widths: number[] = [];
    for (const row of rows) {
      row.forEach((cell, column) => {
        widths[column] = Math.max(widths[column] ?? 0, cell.length);
      });
    }
    rows.forEach((row, index) => {
      const text = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
      this.line(index === 0 ? this.#paint("bold", text.trimEnd(), this.#options.stdout) : text.trimEnd());
    });
  }

  /**
   * Three plain lines: what, why, what to do; then details. A stack only with DEBUG=1, or for what is no LabError.
   * @returns the exit code that the error stands for
   */
  error(error: unknown): number {
    const { stderr, environment } = this.#options;
    const known = error instanceof LabError;
    const lines = [`${this.#paint("red", "Error:", stderr)} ${messageOf(error)}`];
    if (known && error.reason !== undefined) lines.push(`  why: ${error.reason}`);
    if (known && error.remedy !== undefined) lines.push(`  fix: ${error.remedy}`);
    if (known) lines.push(...error.detail.map((line) => `  | ${line}`));
    if (!known)
      lines.push(
        "  why: this is a defect in the lab.",
        "  fix: run it again with DEBUG=1 and report what it prints.",
      );
    if (environment.DEBUG === "1" && error instanceof Error) lines.push(stackOf(error));
    stderr.write(`${lines.join("\n")}\n`);
    return known ? error.exitCode : exitCodes.failed;
  }

  /** Paints text for stdout, if stdout takes colours. */
  paint(style: Style, text: string): string {
    return this.#paint(style, text, this.#options.stdout);
  }

  #progress(style: Style, mark: string, text: string): void {
    const { stderr } = this.#options;
    stderr.write(`${this.#paint(style, mark, stderr)} ${text}\n`);
  }

  #paint(style: Style, text: string, sink: Sink): string {
    const { environment } = this.#options;
    const plain = sink.isTTY !== true || (environment.NO_COLOR ?? "") !== "";
    return plain ? text : styleText(style, text, { validateStream: false });
  }
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
}
