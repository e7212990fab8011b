/** A number as services' configuration reads it: without an exponent, to the microsecond. */
export function decimal(value: number): string {
  return String(Number(value.toFixed(6)));
}
