/**
 * Which answers are errors. A status of 400 and above is one, unless the experiment says that it is what a client may expect: to be outbid
 * is an auction's everyday answer.
 */

/** By operation, the statuses of 400 and above that are answers like any other. */
export type ExpectedStatuses = Readonly<Record<string, readonly number[]>>;

export const noneExpected: ExpectedStatuses = {};

/** No answer at all is one, too: status 0. */
export function isError(
  { status, op }: { readonly status: number; readonly op: string },
  expected: ExpectedStatuses,
): boolean {
  if (status === 0) return true;
  return status >= 400 && !(Object.hasOwn(expected, op) && expected[op]?.includes(status));
}
