/**
 * The search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with Lowe's memoisation ("Testing for
 * Linearizability", 2017).
 *
 * Calls and returns are a doubly linked list in the order of their times. A call that comes before the first return of the list
 * may be linearised next: it is taken out of the list with its return, and the search begins again at the front. At a return it
 * can go no further, since that call has to be linearised before it: the last call is put back and the next one tried. What is
 * linearised together with the state that it led to is remembered, in whatever order it came about, and not tried again.
 *
 * A read that may be next, and whose answer is right, is taken at once: any order that has it later is as good with it here. Without
 * this, n concurrent reads make 2^n sets to be remembered.
 */

import type { Call, Model } from "./model.ts";

/** When to give up. */
export interface Budget {
  /** Calls tried; a million unless told. What is remembered grows with it, by some hundred bytes a step at worst. */
  readonly steps?: number;
  /** Ten seconds unless told. The search does not yield meanwhile. */
  readonly milliseconds?: number;
}

export type Verdict<Operation> =
  /** One order that explains all answers. */
  | {
      readonly outcome: "linearizable";
      readonly order: readonly Call<Operation>[];
      readonly steps: number;
    }
  /** There is none. */
  | {
      readonly outcome: "illegal";
      /** An order that explains as many answers as can be explained one after the other from the beginning. */
      readonly longest: readonly Call<Operation>[];
      /** The answered calls of which one would have to come next, and none can. */
      readonly stuck: readonly Call<Operation>[];
      readonly steps: number;
    }
  /** The budget was used up before either was certain. */
  | { readonly outcome: "undecided"; readonly steps: number };

/** A call or a return. Unknown outcomes have no return: it would come after all others, and never forbid anything. */
interface Entry {
  readonly call: number;
  readonly isReturn: boolean;
  previous: Entry | undefined;
  next: Entry | undefined;
  /** Of a call. */
  match: Entry | undefined;
}

/** A call that was linearised, and what else it could have led to. */
interface Taken<State> {
  readonly entry: Entry;
  readonly before: Position<State>;
  readonly others: Position<State>[];
  /** A read: nothing is gained by having it later. */
  readonly atOnce: boolean;
}

interface Position<State> {
  readonly state: State;
  readonly key: string;
}

/** What a Set can hold is a little more. */
const MOST_REMEMBERED = 16_000_000;

export function checkLinearizable<State, Operation>(
  model: Model<State, Operation>,
  history: readonly Call<Operation>[],
  { steps: mostSteps = 1_000_000, milliseconds = 10_000 }: Budget = {},
): Verdict<Operation> {
  const deadline = performance.now() + milliseconds;
  const head = linked(history);
  const done = new Uint16Array(Math.ceil(history.length / 16));
  const seen = new Set<string>();
  const taken: Taken<State>[] = [];
  let answersLeft = history.filter(({ ended }) => ended !== undefined).length;
  const positionOf = (state: State): Position<State> => ({ state, key: model.key(state) });
  let position = positionOf(model.init);
  let steps = 0;
  let longest: number[] = [];
  let stuck: number[] = [];
  let fewestLeft = Number.POSITIVE_INFINITY;
  const callsOf = (numbers: readonly number[]) => numbers.map((number) => history[number] as Call<Operation>);
  const order = () => taken.map(({ entry }) => entry.call);

  let entry = head.next;
  while (answersLeft > 0) {
    const overTime = steps % 256 === 0 && performance.now() > deadline;
    if (overTime || steps >= mostSteps || seen.size >= MOST_REMEMBERED)
      return { outcome: "undecided", steps };
    if (entry !== undefined && !entry.isReturn) {
      steps += 1;
      if (advance(entry, outcomesOf(entry))) entry = head.next;
      else entry = entry.next;
      continue;
    }
    if (answersLeft < fewestLeft) {
      [fewestLeft, longest, stuck] = [answersLeft, order(), candidates(head)];
    }
    // The last call is put back. It may have led to another state; else one that comes after it in the list is tried.
    for (;;) {
      const last = taken.pop();
      if (last === undefined) {
        return { outcome: "illegal", longest: callsOf(longest), stuck: callsOf(stuck), steps };
      }
      putBack(last);
      if (last.atOnce) continue;
      if (advance(last.entry, last.others)) {
        entry = head.next;
        break;
      }
      entry = last.entry.next;
      if (entry !== undefined) break;
    }
  }
  return { outcome: "linearizable", order: callsOf(order()), steps };

  function outcomesOf(call: Entry): Position<State>[] {
    const { operation } = history[call.call] as Call<Operation>;
    const outcomes = model.step(position.state, operation).map(positionOf);
    // Whatever leaves no trace and was not answered may as well be left out.
    return call.match ? outcomes : outcomes.filter(({ key }) => key !== position.key);
  }

  /** Takes the call, with the first of the outcomes that was not reached before with the same calls done. */
  function advance(call: Entry, outcomes: Position<State>[]): boolean {
    flip(call.call);
    const atOnce = model.isRead?.((history[call.call] as Call<Operation>).operation) ?? false;
    for (let next = outcomes.shift(); next !== undefined; next = outcomes.shift()) {
      const key = `${String.fromCharCode(...done)}${next.key}`;
      if (seen.has(key)) continue;
      seen.add(key);
      taken.push({ entry: call, before: position, others: outcomes, atOnce });
      position = next;
      unlink(call);
      if (call.match) {
        unlink(call.match);
        answersLeft -= 1;
      }
      return true;
    }
    flip(call.call);
    return false;
  }

  function putBack({ entry: call, before }: Taken<State>): void {
    if (call.match) {
      relink(call.match);
      answersLeft += 1;
    }
    relink(call);
    flip(call.call);
    position = before;
  }

  function flip(call: number): void {
    done[call >> 4] = (done[call >> 4] as number) ^ (1 << (call & 15));
  }
}

/** Calls before returns at the same time. @returns what stands before the first entry */
function linked(history: readonly Call<unknown>[]): Entry {
  const timed = history.flatMap(({ began, ended }, call) => {
    if (Number.isNaN(began) || (ended !== undefined && !(ended >= began))) {
      throw new RangeError(`Call ${call} begins at ${began} and ends at ${ended}.`);
    }
    const match = ended === undefined ? undefined : entryOf(call, true);
    const entry = { ...entryOf(call, false), match };
    return match === undefined
      ? [{ at: began, entry }]
      : [
          { at: began, entry },
          { at: ended as number, entry: match },
        ];
  });
  timed.sort((one, other) => one.at - other.at || Number(one.entry.isReturn) - Number(other.entry.isReturn));
  const head = entryOf(-1, false);
  let last = head;
  for (const { entry } of timed) {
    last.next = entry;
    entry.previous = last;
    last = entry;
  }
  return head;
}

function entryOf(call: number, isReturn: boolean): Entry {
  return { call, isReturn, previous: undefined, next: undefined, match: undefined };
}

/** It keeps its own links, by which it is put back: entries go back in the reverse order. */
function unlink(entry: Entry): void {
  (entry.previous as Entry).next = entry.next;
  if (entry.next) entry.next.previous = entry.previous;
}

function relink(entry: Entry): void {
  (entry.previous as Entry).next = entry;
  if (entry.next) entry.next.previous = entry;
}

/** Calls before the first return whose answers are known. */
function candidates(head: Entry): number[] {
  const calls: number[] = [];
  for (let entry = head.next; entry && !entry.isReturn; entry = entry.next) {
    if (entry.match) calls.push(entry.call);
  }
  return calls;
}
