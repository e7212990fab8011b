/**
 * - **call**: one operation of one client, from the moment at which the client asked to the one at which it had the answer.
 * - **unknown outcome**: a client that never had an answer does not know whether its operation took effect, nor when: any time
 *   after it asked, or never.
 * - **linearisation**: an order of the calls that the model allows, and in which no call comes before one that had returned when
 *   it was made. Calls of unknown outcome may be left out of it.
 *
 * The term is Herlihy and Wing's: "Linearizability: A Correctness Condition for Concurrent Objects" (1990).
 */

/** The object as it would be if it did one operation after the other. */
export interface Model<State, Operation> {
  readonly init: State;
  /**
   * The states in which the object may be once it has done the operation and given the answer that the operation carries; none when it
   * cannot give this answer in this state. An operation of unknown outcome carries no answer: it may give any. Must not
   * change the state that it is given.
   */
  step(state: State, operation: Operation): readonly State[];
  /** The same for equal states, and for no others. */
  key(state: State): string;
  /**
   * Whether the operation, with the answer that it carries, leaves every state as it is in which it is possible. Makes searches among many
   * concurrent reads short; false where it is left out.
   */
  isRead?(operation: Operation): boolean;
}

export interface Call<Operation> {
  /** Who made it, for people. */
  readonly client?: string | undefined;
  /** What was asked for, and what was answered. */
  readonly operation: Operation;
  /** When it was made, by any clock that all calls share. */
  readonly began: number;
  /** When the answer was there. Undefined: outcome unknown. Calls that touch, one ending as the other begins, are concurrent. */
  readonly ended?: number | undefined;
}
