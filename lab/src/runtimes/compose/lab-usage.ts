/**
 * What each part of a lab in containers takes, cheaply enough for once a second. Which containers there are is asked of
 * the engine now and then: every two seconds, and at once after a sample in which one did not run.
 */
import type { Engine } from "../../docker/engine.ts";
import type { PartUsage } from "../runtime.ts";
import { type ContainerMeter, noUsage } from "./container-meter.ts";
import type { ListedContainer } from "./containers.ts";

/** What there is: a list of the containers, and the names of parts that should have one. */
export interface Found {
  readonly containers: readonly ListedContainer[];
  readonly expected: readonly string[];
}

const listMs = 2_000;

export class LabUsage {
  readonly #meter: ContainerMeter;
  readonly #find: (engine: Engine) => Promise<Found>;
  #found: Found = { containers: [], expected: [] };
  /** When to look again, on the clock of `performance`. */
  #stale = 0;

  constructor(meter: ContainerMeter, find: (engine: Engine) => Promise<Found>) {
    this.#meter = meter;
    this.#find = find;
  }

  async read(engine: Engine): Promise<PartUsage[]> {
    if (performance.now() >= this.#stale) {
      this.#found = await this.#find(engine);
      this.#stale = performance.now() + listMs;
    }
    const { containers, expected } = this.#found;
    const present = await Promise.all(
      containers.map(async ({ name, handle }) => ({ name, ...(await this.#meter.read(handle)) })),
    );
    const missing = expected.filter((name) => !present.some((part) => part.name === name));
    const parts = [...present, ...missing.map((name) => ({ name, ...noUsage }))];
    if (parts.some(({ cpu_seconds }) => cpu_seconds === null)) this.#stale = 0;
    return parts;
  }
}
