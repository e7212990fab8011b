/**
 * A run's bundle: a directory that is written once and never edited. It is written under a name that ends in
 * `.unfinished` and renamed when it is whole, so a bundle without that ending can be trusted to be complete.
 */

import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

export const UNFINISHED = ".unfinished";

export class Bundle {
  /** Where it is written now. */
  readonly directory: string;
  readonly #final: string;

  private constructor(final: string) {
    this.#final = final;
    this.directory = final + UNFINISHED;
  }

  /** `<root>/<environment>/<system>/<experiment>/<UTC time>` */
  static async begin(root: string, path: readonly [string, string, string], at: Date): Promise<Bundle> {
    const parent = join(root, ...path);
    await mkdir(parent, { recursive: true });
    // To the millisecond, so that two runs in a second do not meet; ISO times sort by name, colons are no file names.
    const bundle = new Bundle(join(parent, at.toISOString().replaceAll(":", "-")));
    await mkdir(bundle.directory);
    return bundle;
  }

  path(file: string): string {
    return join(this.directory, file);
  }

  async writeJson(file: string, value: unknown): Promise<void> {
    await writeFile(this.path(file), `${JSON.stringify(value, null, 2)}\n`, { flag: "wx" });
  }

  /** Gives the bundle its name. Resolves to where it now is. */
  async finish(): Promise<string> {
    await rename(this.directory, this.#final);
    return this.#final;
  }
}
