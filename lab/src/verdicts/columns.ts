/** Numbers in rows and columns that grow: a table of half a million rows takes eight bytes a number, and no object. */

export class Columns<Name extends string> {
  readonly #columns: Record<Name, Float64Array<ArrayBuffer>>;
  readonly #names: readonly Name[];
  #capacity = 1024;
  #rows = 0;

  constructor(names: readonly Name[]) {
    this.#names = names;
    this.#columns = Object.fromEntries(
      names.map((name) => [name, new Float64Array(this.#capacity)]),
    ) as Record<Name, Float64Array<ArrayBuffer>>;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Number of the new row. */
  add(row: Readonly<Record<Name, number>>): number {
    if (this.#rows === this.#capacity) this.#grow();
    for (const name of this.#names) this.#columns[name][this.#rows] = row[name];
    this.#rows += 1;
    return this.#rows - 1;
  }

  get(name: Name, row: number): number {
    return this.#columns[name][row] as number;
  }

  set(name: Name, row: number, value: number): void {
    this.#columns[name][row] = value;
  }

  #grow(): void {
    this.#capacity *= 2;
    for (const name of this.#names) {
      const more = new Float64Array(this.#capacity);
      more.set(this.#columns[name]);
      this.#columns[name] = more;
    }
  }
}

/** Numbers texts 0, 1, 2 …, so that a text that many rows share is kept once. */
export class Texts {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  at(number: number): string {
    return this.#texts[number] ?? "";
  }
}
