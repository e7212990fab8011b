/**
 * A lock between processes that the kernel lets go of when its holder dies, so there is no stale lock to judge. It is an
 * exclusive SQLite transaction: the one advisory lock that Node offers on every system without a dependency.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface Lock extends Disposable {
  release(): void;
}

const sqliteBusy = 5;

/**
 * @param path file that stands for the lock; made when missing, never removed
 * @returns undefined when another process holds it
 */
export function tryLock(path: string): Lock | undefined {
  mkdirSync(dirname(path), { recursive: true });
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return undefined;
    throw error;
  }
  const held = database;
  const release = () => {
    if (held.isOpen) held.close();
  };
  return { release, [Symbol.dispose]: release };
}
