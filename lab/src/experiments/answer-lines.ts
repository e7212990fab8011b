/**
 * What clients were told, as k6 writes it: a line an answer, whose beginning has a fixed form that
 * loadtests/lib/answers.ts makes. It is read straight from the bytes, while k6 is writing it, in bounded memory: parsing
 * JSON for each of ten million answers would cost more than the load generator itself.
 *
 *     {"at":1763706000123,"wall_ms":4,"ms":3.412,"status":202,"step":"load","op":"place","id":…}
 */

import { open } from "node:fs/promises";
import { type ExpectedStatuses, isError, noneExpected } from "./expected-statuses.ts";

/** One answer, valid only during the call that it is handed to. */
export interface SeenAnswer {
  /** Milliseconds since the epoch, when its request was begun. */
  at: number;
  /** Milliseconds on the wall clock from then until the script had the answer. */
  wallMs: number;
  /** Microseconds from sending the request to the last byte of its answer. */
  micros: number;
  /** HTTP status; 0: no answer. */
  status: number;
  /** There was no answer before the client hung up. */
  timedOut: boolean;
  /** Name of the load's step. */
  step: string;
  /** Name of the operation. */
  op: string;
}

/** Begins the line that is no answer: when the load began, in milliseconds since the epoch. See loadtests/lib/load.ts. */
export const LOAD_BEGINS = '{"load_begins":';

const CHUNK = 1 << 20;
const NEWLINE = 0x0a;
const QUOTE = 0x22;
const DOT = 0x2e;
/** k6's code for a request that took longer than its client would wait: https://grafana.com/docs/k6/latest/javascript-api/error-codes/ */
const TIMED_OUT = Buffer.from('"error":1050', "latin1");
/** What stands before each field. */
const BEFORE = ['{"at":', ',"wall_ms":', ',"ms":', ',"status":', ',"step":"', '","op":"'].map((text) =>
  Buffer.from(text, "latin1"),
) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];

/** Reads what has been added to a file since the last time. */
export class AnswerTail {
  readonly #file: string;
  /** What was read and not yet parsed: at most a chunk, of which the beginning of a line stays from call to call. */
  #buffer: Buffer = Buffer.allocUnsafe(CHUNK);
  #kept = 0;
  #offset = 0;
  /** What is being read is the rest of a line that was longer than a chunk. */
  #overlong = false;
  readonly #parser = new LineParser();
  readonly #expected: ExpectedStatuses;
  answers = 0;
  /** Answers that are no success: see `isError`. */
  errors = 0;
  /** Lines of another form. */
  unreadable = 0;
  /** Milliseconds since the epoch; undefined until the script has told, or the first answer is in. */
  loadBegan: number | undefined;

  constructor(file: string, expected: ExpectedStatuses = noneExpected) {
    this.#file = file;
    this.#expected = expected;
  }

  /** An absent file has no lines yet. Only whole lines are read, each once. */
  async read(onAnswer: (answer: SeenAnswer) => void = () => {}): Promise<void> {
    const handle = await open(this.#file, "r").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (!handle) return;
    try {
      for (;;) {
        if (this.#kept === this.#buffer.length) this.#dropOverlongLine();
        const { bytesRead } = await handle.read(
          this.#buffer,
          this.#kept,
          this.#buffer.length - this.#kept,
          this.#offset,
        );
        if (bytesRead === 0) return;
        this.#offset += bytesRead;
        this.#parseUpTo(this.#kept + bytesRead, onAnswer);
      }
    } finally {
      await handle.close();
    }
  }

  #parseUpTo(end: number, onAnswer: (answer: SeenAnswer) => void): void {
    const buffer = this.#buffer;
    let begin = 0;
    for (;;) {
      const newline = buffer.indexOf(NEWLINE, begin);
      if (newline === -1 || newline >= end) break;
      if (newline > begin && !this.#overlong) this.#line(begin, newline, onAnswer);
      this.#overlong = false;
      begin = newline + 1;
    }
    buffer.copy(buffer, 0, begin, end);
    this.#kept = end - begin;
  }

  #line(begin: number, end: number, onAnswer: (answer: SeenAnswer) => void): void {
    const answer = this.#parser.parse(this.#buffer, begin, end);
    if (answer === undefined) {
      this.#other(this.#buffer.toString("latin1", begin, Math.min(end, begin + 40)));
      return;
    }
    this.answers += 1;
    this.loadBegan ??= answer.at;
    if (isError(answer, this.#expected)) this.errors += 1;
    onAnswer(answer);
  }

  #other(line: string): void {
    const began = line.startsWith(LOAD_BEGINS)
      ? Number.parseInt(line.slice(LOAD_BEGINS.length), 10)
      : Number.NaN;
    if (Number.isNaN(began)) this.unreadable += 1;
    else this.loadBegan = began;
  }

  /** A line that fills a chunk is none of ours, whatever its rest may look like. */
  #dropOverlongLine(): void {
    this.#kept = 0;
    if (!this.#overlong) this.unreadable += 1;
    this.#overlong = true;
  }
}

/** Parses the fixed beginning of a line. */
class LineParser {
  readonly #answer: SeenAnswer = {
    at: 0,
    wallMs: 0,
    micros: 0,
    status: 0,
    timedOut: false,
    step: "",
    op: "",
  };
  #at = 0;
  #value = 0;

  /** The same object each time; undefined for a line of another form. */
  parse(line: Buffer, begin: number, end: number): SeenAnswer | undefined {
    const answer = this.#answer;
    const [at, wall, ms, status, step, op] = BEFORE;
    this.#at = begin;
    if (!this.#skip(line, at) || !this.#digits(line, end)) return undefined;
    answer.at = this.#value;
    if (!this.#skip(line, wall) || !this.#digits(line, end)) return undefined;
    answer.wallMs = this.#value;
    if (!this.#skip(line, ms) || !this.#milliseconds(line, end)) return undefined;
    answer.micros = this.#value;
    if (!this.#skip(line, status) || !this.#digits(line, end)) return undefined;
    answer.status = this.#value;
    if (!this.#skip(line, step)) return undefined;
    answer.step = this.#text(line, end, answer.step);
    if (!this.#skip(line, op)) return undefined;
    answer.op = this.#text(line, end, answer.op);
    // Only where there was no answer, which is rare: this looks through the rest of the line.
    answer.timedOut = answer.status === 0 && line.subarray(this.#at, end).includes(TIMED_OUT);
    return line[this.#at] === QUOTE ? answer : undefined;
  }

  #skip(line: Buffer, expected: Buffer): boolean {
    const at = this.#at;
    for (let i = 0; i < expected.length; i += 1) if (line[at + i] !== expected[i]) return false;
    this.#at = at + expected.length;
    return true;
  }

  #digits(line: Buffer, end: number): boolean {
    const begin = this.#at;
    let value = 0;
    let at = begin;
    for (; at < end; at += 1) {
      const digit = (line[at] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.#at = at;
    this.#value = value;
    return at > begin;
  }

  /** A decimal number, in thousandths; what follows the third decimal is rounded away. */
  #milliseconds(line: Buffer, end: number): boolean {
    if (!this.#digits(line, end)) return false;
    let micros = this.#value * 1000;
    if (line[this.#at] === DOT) {
      const decimals = this.#at + 1;
      this.#at = decimals;
      if (!this.#digits(line, end)) return false;
      micros += Math.round(this.#value * 10 ** (3 - (this.#at - decimals)));
    }
    this.#value = micros;
    return true;
  }

  /** Up to the next quotation mark. Most lines repeat the text of the line before: that one is handed out again. */
  #text(line: Buffer, end: number, before: string): string {
    const begin = this.#at;
    let at = begin;
    let same = true;
    for (; at < end && line[at] !== QUOTE; at += 1) {
      if (same && before.charCodeAt(at - begin) !== line[at]) same = false;
    }
    this.#at = at;
    return same && at - begin === before.length ? before : line.toString("latin1", begin, at);
  }
}
