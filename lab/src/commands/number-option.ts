/** Numbers on the command line: parsed, held within bounds, refused with the name of the option and one that would do. */
import { LabError } from "../cli/lab-error.ts";

export interface Bounds {
  readonly least: number;
  readonly most: number;
  /** One that makes sense, for the person whose number does not; the least unless told. */
  readonly example?: number;
  /** The option's name in `make`, where it has one of its own. */
  readonly make?: string;
}

/** For commander: a decimal number from `least` to `most`. */
export function decimalOption(option: string, bounds: Bounds): (text: string) => number {
  const { least, most } = bounds;
  return (text) => {
    const value = Number(text);
    if (/^\d*\.?\d+(e-?\d+)?$/i.test(text.trim()) && value >= least && value <= most) return value;
    throw refused(option, text, "a number", bounds);
  };
}

/** For commander: a whole number from `least` to `most`. */
export function wholeOption(option: string, bounds: Bounds): (text: string) => number {
  const { least, most } = bounds;
  return (text) => {
    const value = Number(text);
    if (/^\d{1,15}$/.test(text.trim()) && value >= least && value <= most) return value;
    throw refused(option, text, "a whole number", bounds);
  };
}

function refused(option: string, text: string, kind: string, bounds: Bounds): LabError {
  const { least, most, example = least, make } = bounds;
  const wanted = `${kind} from ${told(least)} to ${told(most)}`;
  return new LabError("USAGE", `${option} ${text}: it must be ${wanted}.`, {
    remedy: `For example: ${option} ${example}${make === undefined ? "" : `, or with make ${make}=${example}`}.`,
  });
}

function told(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 6 });
}
