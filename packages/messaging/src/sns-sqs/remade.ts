/** Something that is made once and used from then on, and made again when it is found missing. */

import { setTimeout as sleep } from "node:timers/promises";

/** How long what is under way may hold up the making. */
const SETTLE_MS = 2000;

/**
 * An emulator that keeps nothing comes back empty: what was made is made again, by the first that finds it
 * missing, and the call repeated. Calls under way end first: one that reached a topic after it was made and
 * before it was subscribed to would be acknowledged and lost.
 * @param isMissing whether an error says that what was made is not there
 */
export function remade<T>(make: () => Promise<T>, isMissing: (error: unknown) => boolean) {
  const underWay = new Set<Promise<unknown>>();
  let made: Promise<T> | undefined;

  function ensured(): Promise<T> {
    made ??= underWayDone()
      .then(make)
      .catch((error: unknown) => {
        made = undefined;
        throw error;
      });
    return made;
  }

  async function underWayDone(): Promise<void> {
    if (underWay.size === 0) return;
    await Promise.race([Promise.allSettled(underWay), sleep(SETTLE_MS, undefined, { ref: false })]);
  }

  async function used<R>(call: Promise<R>): Promise<R> {
    underWay.add(call);
    try {
      return await call;
    } finally {
      underWay.delete(call);
    }
  }

  return async <R>(use: (made: T) => Promise<R>): Promise<R> => {
    const known = ensured();
    const thing = await known;
    try {
      return await used(use(thing));
    } catch (error) {
      if (!isMissing(error)) throw error;
      if (made === known) made = undefined;
      return await used(use(await ensured()));
    }
  };
}
