/** The errors of the Broker port. */

/** The broker did not answer, or refused for a reason that may pass. What was published may be there. */
export class BrokerUnavailable extends Error {
  override readonly name = "BrokerUnavailable";
  readonly code = "BROKER_UNAVAILABLE";
  readonly retryable = true;
}

/** Thrown by a handler: deliver this again after `seconds` (0 to 43,200). */
export class RetryLater extends Error {
  override readonly name = "RetryLater";
  readonly code = "RETRY_LATER";
  readonly retryable = true;
  readonly seconds: number;

  constructor(message: string, seconds: number, options?: ErrorOptions) {
    super(message, options);
    this.seconds = seconds;
  }
}

/** Thrown by a handler: no delivery of this message can succeed; it belongs in the dead-letter queue. */
export class PermanentFailure extends Error {
  override readonly name = "PermanentFailure";
  readonly code = "PERMANENT_FAILURE";
  readonly retryable = false;
}

/** The reason on `Delivery.signal`: the message may be in another consumer's hands. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
  readonly code = "LEASE_LOST";
  readonly retryable = true;
}
