/**
 * Whether a concurrent history could have happened one operation at a time, each at some moment between its call and its return.
 *
 * - `checkLinearizable`: any object that has a sequential model; exponential at worst, for histories of some hundred calls.
 * - `checkParts`: the same for many objects that do not touch each other, such as the keys of a map: each by itself.
 * - `checkNumbered`: operations whose answers say at which place they took effect; O(n log n), for histories of millions.
 *
 * Everything not listed here is private to the package.
 */

export type { Call, Model } from "./model.ts";
export { checkNumbered, type NumberedHistory, type NumberedVerdict } from "./numbered.ts";
export { checkParts, type PartsVerdict } from "./parts.ts";
export { type Budget, checkLinearizable, type Verdict } from "./search.ts";
