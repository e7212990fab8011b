/** The compose runtime's way to the engine: found once, lost and found again when the engine is stopped and started. */
import type Docker from "dockerode";
import { type Engine, type EngineFinding, findEngine, requireEngine } from "../../docker/engine.ts";
import type { EngineMachine } from "../runtime.ts";
import { engineGone, isEngineGone } from "./failures.ts";

export class EngineConnection {
  #engine: Engine | undefined;

  /** What there is now, looked for anew. */
  async look(): Promise<EngineFinding> {
    const found = await findEngine();
    this.#engine = found.usable ? found.engine : undefined;
    return found;
  }

  /**
   * Runs `work` with the engine.
   * @throws LabError PREREQUISITE_MISSING when there is none, NOT_RUNNING when it goes in the middle
   */
  async with<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    this.#engine ??= await requireEngine();
    try {
      return await work(this.#engine);
    } catch (error) {
      if (!isEngineGone(error)) throw error;
      this.#engine = undefined;
      throw engineGone(error);
    }
  }

  /** The same, but resolves to undefined where there is no engine, or it goes in the middle. */
  async withOrNothing<T>(work: (engine: Engine) => Promise<T>): Promise<T | undefined> {
    if (this.#engine === undefined && !(await this.look()).usable) return undefined;
    try {
      return await work(this.#engine as Engine);
    } catch (error) {
      if (!isEngineGone(error)) throw error;
      this.#engine = undefined;
      return undefined;
    }
  }
}

/** What dockerode does not type. */
interface EngineInfo {
  OperatingSystem: string;
  KernelVersion: string;
  NCPU: number;
  MemTotal: number;
  Driver: string;
}

/** The machine that containers run on, for run.json. */
export async function describeEngine(client: Docker): Promise<EngineMachine> {
  const info = (await client.info()) as EngineInfo;
  return {
    os: info.OperatingSystem,
    kernel: info.KernelVersion,
    cpus: info.NCPU,
    memory_mb: Math.round(info.MemTotal / 2 ** 20),
    storage_driver: info.Driver,
  };
}
