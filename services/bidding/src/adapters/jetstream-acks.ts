/**
 * JetStream's answers to what is published: one subscription for all of them and one timer, where the client's own `publish` has a
 * timer and a request each. That takes less than half of the processor's time, which a gateway needs for bids.
 */

import { headers, type Msg, type NatsConnection, type Subscription } from "@nats-io/nats-core";

export interface Kept {
  readonly seq: number;
  readonly duplicate: boolean;
}

interface Waiting {
  readonly answered: PromiseWithResolvers<Kept>;
  readonly until: number;
  readonly epoch: number;
}

const ID = "Nats-Msg-Id";
const LOOK_MS = 100;

export class PublishAcks {
  readonly #connection: NatsConnection;
  readonly #epoch: () => number;
  readonly #answerMs: number;
  readonly #subscription: Subscription;
  readonly #prefix: string;
  /** In the order in which they were sent. */
  readonly #waiting = new Map<string, Waiting>();
  #sent = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param epoch counts the times that the connection was made; there is no answer to what was sent on another one
   * @param answerMs how long to wait for an answer
   */
  constructor(connection: NatsConnection, epoch: () => number, answerMs: number) {
    this.#connection = connection;
    this.#epoch = epoch;
    this.#answerMs = answerMs;
    const inbox = `_INBOX.${crypto.randomUUID()}`;
    this.#prefix = `${inbox}.`;
    this.#subscription = connection.subscribe(`${inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.#take(message);
      },
    });
  }

  /** Resolves when JetStream has it. @param id makes it the same message when it is published again */
  async publish(subject: string, text: string, id: string): Promise<Kept> {
    this.#sent += 1;
    const token = String(this.#sent);
    const answered = Promise.withResolvers<Kept>();
    const about = headers();
    about.set(ID, id);
    this.#connection.publish(subject, text, { headers: about, reply: this.#prefix + token });
    this.#waiting.set(token, { answered, until: performance.now() + this.#answerMs, epoch: this.#epoch() });
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    return await answered.promise;
  }

  /** Nothing is to be published any more; what has no answer fails. */
  close(): void {
    this.#subscription.unsubscribe();
    for (const { answered } of this.#waiting.values()) answered.reject(new Error("It is closed"));
    this.#waiting.clear();
    this.#look();
  }

  #take(message: Msg): void {
    const token = message.subject.slice(this.#prefix.length);
    const waiting = this.#waiting.get(token);
    if (!waiting) return;
    this.#waiting.delete(token);
    try {
      waiting.answered.resolve(read(message));
    } catch (error) {
      waiting.answered.reject(error);
    }
  }

  #look(): void {
    const now = performance.now();
    const epoch = this.#epoch();
    for (const [token, waiting] of this.#waiting) {
      if (waiting.epoch === epoch && waiting.until > now) return;
      this.#waiting.delete(token);
      const lost = waiting.epoch !== epoch;
      waiting.answered.reject(new Error(lost ? "The connection was lost" : "There is no answer"));
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** @throws Error with what JetStream says against it */
function read(message: Msg): Kept {
  if (message.headers?.code === 503) throw new Error("No stream takes it");
  const { error, seq, duplicate } = message.json<{
    readonly error?: { readonly description?: string };
    readonly seq?: number;
    readonly duplicate?: boolean;
  }>();
  if (error || seq === undefined) throw new Error(error?.description ?? "It is no answer of JetStream's");
  return { seq, duplicate: duplicate === true };
}
