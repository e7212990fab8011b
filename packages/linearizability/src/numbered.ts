/**
 * Operations whose answers say at which place of the order they took effect, such as the number that a log gave to an entry. The order
 * is then known and need not be searched for: what is left to check is that it agrees with the clock, that is, that no operation had
 * ended before one with a lower number began. Whether the answers fit the numbers is for the caller to check, in order.
 */

/** Three columns of the same length. */
export interface NumberedHistory {
  /** Operations with the same number are not ordered among each other, such as reads between two writes. */
  readonly numbers: ArrayLike<number>;
  readonly began: ArrayLike<number>;
  /** Infinity for an operation whose client never had the answer. */
  readonly ended: ArrayLike<number>;
}

export interface NumberedVerdict {
  /** Operations that were checked. */
  readonly checked: number;
  /** Operations that had ended before one with a lower number began. */
  readonly violations: number;
  /** The first ten, in the order of their numbers: rows of the operation, and of one with a lower number that began later. */
  readonly examples: readonly { readonly early: number; readonly late: number }[];
}

const SHOWN = 10;

/** In O(n log n). @throws RangeError for NaN and for columns of different lengths */
export function checkNumbered({ numbers, began, ended }: NumberedHistory): NumberedVerdict {
  const checked = numbers.length;
  if (began.length !== checked || ended.length !== checked) {
    throw new RangeError(
      `There are ${checked} numbers, ${began.length} beginnings and ${ended.length} ends.`,
    );
  }
  const of = (column: ArrayLike<number>, row: number) => column[row] as number;
  const rows = Uint32Array.from({ length: checked }, (_, row) => {
    if ([numbers, began, ended].some((column) => Number.isNaN(of(column, row)))) {
      throw new RangeError(`Operation ${row} is not all numbers.`);
    }
    return row;
  });
  rows.sort(
    (one, other) =>
      (of(numbers, one) < of(numbers, other) ? -1 : 1) * Number(of(numbers, one) !== of(numbers, other)),
  );
  const examples: { early: number; late: number }[] = [];
  let violations = 0;
  /** Of those with lower numbers, the one that began last. */
  let latest: number | undefined;
  for (let first = 0; first < checked; ) {
    const number = of(numbers, rows[first] as number);
    let after = first;
    for (; after < checked && of(numbers, rows[after] as number) === number; after += 1) {
      const row = rows[after] as number;
      if (latest === undefined || of(ended, row) >= of(began, latest)) continue;
      violations += 1;
      if (examples.length < SHOWN) examples.push({ early: row, late: latest });
    }
    for (; first < after; first += 1) {
      const row = rows[first] as number;
      if (latest === undefined || of(began, row) > of(began, latest)) latest = row;
    }
  }
  return { checked, violations, examples };
}
