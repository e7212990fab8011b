/** Numbers on the command line: parsed, held within bounds, refused with the name of the option. */
import { LabError } from "../cli/lab-error.ts";

export interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** For commander: a decimal number from `least` to `most`. */
export function decimalOption(option: string, { least, most }: Bounds): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d*\.?\d+(e-?\d+)?$/i.test(text.trim()) && value >= least && value <= most) return value;
    throw refused(option, text, `a number from ${told(least)} to ${told(most)}`);
  };
}

/** For commander: a whole number from `least` to `most`. */
export function wholeOption(option: string, { least, most }: Bounds): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,15}$/.test(text.trim()) && value >= least && value <= most) return value;
    throw refused(option, text, `a whole number from ${told(least)} to ${told(most)}`);
  };
}

function refused(option: string, text: string, wanted: string): LabError {
  return new LabError("USAGE", `${option} ${text}: it must be ${wanted}.`, {
    remedy: `Give ${option} such a number.`,
  });
}

function told(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 6 });
}
