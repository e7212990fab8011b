/** One wrong thing in a story that is right, and what is to find it. */

import assert from "node:assert/strict";
import type { Outcome } from "../../src/verdicts/verdict.ts";
import type { Story } from "./simulated-auction.ts";

export type Answer = Story["answers"][number];

/** Picks one of the story's things. */
export type Pick = <T>(from: readonly T[]) => T;

export interface Corruption {
  readonly what: string;
  readonly finds: string;
  readonly as?: Outcome;
  readonly wrong: (story: Story, pick: Pick) => void;
}

/** Bids that had one answer and no other, so that nothing else tells of them. */
export const only = (story: Story, status: number) => {
  const times = Map.groupBy(story.answers, ({ id }) => id);
  return story.answers.filter((answer) => answer.status === status && times.get(answer.id)?.length === 1);
};
export const accepted = (story: Story) => only(story, 201);
/** Not the first and not the last: both have neighbours. */
export const inner = (story: Story) =>
  accepted(story).filter(({ seq = 0 }) => seq > 2 && seq < story.auction.seq - 2);
export const refused = (story: Story) =>
  only(story, 409).filter(({ seq = 0 }) => seq > 2 && seq < story.auction.seq - 2);
export const archived = (story: Story, id: string) =>
  found(story.archive.find(({ bid_id }) => bid_id === id));
export const forget = (story: Story, gone: Answer) => {
  story.answers = story.answers.filter(({ id }) => id !== gone.id);
  story.requests = story.answers.length;
};
export const priceAt = (story: Story, seq: number) =>
  found(story.archive.find((bid) => bid.seq === seq)).amount;

export function found<T>(value: T | undefined): T {
  assert(value !== undefined);
  return value;
}
