/**
 * Numbers UUIDs 0, 1, 2 … in the order in which they are first seen. A string as a key of a Map takes some 100 bytes; this takes 16
 * bytes for the UUID and 4 to 8 for its place in a hash table with open addressing.
 */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const EMPTY = -1;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export class UuidTable {
  /** Four words a UUID. */
  #words = new Uint32Array(4 * 1024);
  /** Indices by hash; at least twice as many as there are UUIDs, and a power of two. */
  #slots = new Int32Array(2 * 1024).fill(EMPTY);
  #size = 0;
  readonly #wanted = new Uint32Array(4);

  get size(): number {
    return this.#size;
  }

  /** Its index, a new one where it was not there; undefined for what is no UUID. */
  add(uuid: string): number | undefined {
    if (!this.#want(uuid)) return undefined;
    const slot = this.#slotOfWanted();
    const known = this.#slots[slot] as number;
    if (known !== EMPTY) return known;
    const index = this.#size;
    this.#size += 1;
    this.#slots[slot] = index;
    if (this.#size * 4 > this.#words.length) this.#words = grown(this.#words);
    this.#words.set(this.#wanted, index * 4);
    if (this.#size * 2 > this.#slots.length) this.#rehash();
    return index;
  }

  /** Undefined where it is not there. */
  indexOf(uuid: string): number | undefined {
    if (!this.#want(uuid)) return undefined;
    const index = this.#slots[this.#slotOfWanted()] as number;
    return index === EMPTY ? undefined : index;
  }

  /** Where another table has what is here at this index, without a string in between; undefined where it has not. */
  indexIn(other: UuidTable, index: number): number | undefined {
    other.#wanted.set(this.#words.subarray(index * 4, index * 4 + 4));
    const found = other.#slots[other.#slotOfWanted()] as number;
    return found === EMPTY ? undefined : found;
  }

  at(index: number): string {
    let text = "";
    for (let half = 0; half < 8; half += 1) {
      const word = this.#words[index * 4 + (half >> 1)] as number;
      const part = half % 2 === 0 ? word >>> 16 : word & 0xffff;
      text += (HEX[part >>> 8] as string) + (HEX[part & 0xff] as string);
      if (half >= 1 && half <= 4) text += "-";
    }
    return text;
  }

  #want(uuid: string): boolean {
    if (!UUID.test(uuid)) return false;
    this.#wanted[0] = Number.parseInt(uuid.slice(0, 8), 16);
    this.#wanted[1] = Number.parseInt(uuid.slice(9, 13) + uuid.slice(14, 18), 16);
    this.#wanted[2] = Number.parseInt(uuid.slice(19, 23) + uuid.slice(24, 28), 16);
    this.#wanted[3] = Number.parseInt(uuid.slice(28), 16);
    return true;
  }

  /** Where it is, or where it would be put. */
  #slotOfWanted(): number {
    const [a, b, c, d] = this.#wanted as unknown as [number, number, number, number];
    const mask = this.#slots.length - 1;
    for (let slot = mixed(a, b, c, d) & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot] as number;
      if (index === EMPTY) return slot;
      const at = index * 4;
      const words = this.#words;
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return slot;
    }
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2).fill(EMPTY);
    for (let index = 0; index < this.#size; index += 1) {
      this.#wanted.set(this.#words.subarray(index * 4, index * 4 + 4));
      this.#slots[this.#slotOfWanted()] = index;
    }
  }
}

/** UUIDs of one run may share all but a few digits: each bit has to count. The last steps are MurmurHash3's (public domain). */
function mixed(...words: readonly number[]): number {
  let hash = 0;
  for (const word of words) {
    hash = Math.imul(hash ^ word, 0x85ebca6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash;
}

function grown(words: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(words.length * 2);
  more.set(words);
  return more;
}
