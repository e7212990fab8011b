/** Kinds of variables: what each takes, and what is said of one that is wrong. All are text. */
import { z } from "zod";

export function oneOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, { error: `must be one of: ${names.join(", ")}` });
}

export function httpUrl() {
  return z
    .string()
    .trim()
    .refine(
      (text) => ["http:", "https:"].includes(URL.parse(text)?.protocol ?? ""),
      "must be a URL that begins with http:// or https://",
    );
}

/** A reference as Docker writes it: [host[:port]/]path[:tag][@digest]. */
export function imageName() {
  return z
    .string()
    .regex(/^[a-z0-9][\w./:@-]{0,254}$/i, "must be an image's name, such as redis:8.0.3-alpine");
}

export function wholeNumber(least: number, most: number, fallback: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .trim()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((value) => value >= least && value <= most, message)
    .default(fallback);
}

export function decimal(least: number, most: number, fallback: number) {
  const message = `must be a number from ${least} to ${most}`;
  return z
    .string()
    .trim()
    .regex(/^\d{1,9}(\.\d{1,9})?$/, message)
    .transform(Number)
    .refine((value) => value >= least && value <= most, message)
    .default(fallback);
}

export function port(fallback: number) {
  return wholeNumber(1, 65_535, fallback);
}
