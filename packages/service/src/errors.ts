/**
 * The closed list of errors that leave a service, a class per code. Each becomes a problem document
 * (RFC 9457); `retryable` says, as data, whether the same request may succeed later.
 */

/** One field of the input that is wrong: `field` as a person writes it, `pointer` as RFC 6901 does. */
export interface FieldError {
  readonly field: string;
  readonly pointer: string;
  readonly detail: string;
}

export interface ErrorDetails extends ErrorOptions {
  readonly errors?: readonly FieldError[];
  /** Seconds; sent as Retry-After. */
  readonly retryAfterSeconds?: number;
  /** Further members of the problem document (RFC 9457, 3.2). */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** Further response headers, such as Allow. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class ServiceError extends Error {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(spec: ErrorSpec, detail: string, details: ErrorDetails = {}) {
    super(detail, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = spec.code;
    this.code = spec.code;
    this.status = spec.status;
    this.title = spec.title;
    this.retryable = spec.retryable ?? false;
    this.details = details;
  }
}

export interface ErrorSpec {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly retryable?: boolean;
}

function define(code: string, status: number, title: string, retryable = false) {
  const spec: ErrorSpec = { code, status, title, retryable };
  return class extends ServiceError {
    static readonly spec = spec;
    constructor(detail: string, details?: ErrorDetails) {
      super(spec, detail, details);
    }
  };
}

export const BodyMissing = define("BODY_MISSING", 400, "The request has no body");
export const MalformedBody = define("MALFORMED_BODY", 400, "The request body cannot be read");
export const BadRequest = define("BAD_REQUEST", 400, "The request cannot be understood");
export const Forbidden = define("FORBIDDEN", 403, "This is not allowed");
export const NotFound = define("NOT_FOUND", 404, "There is no such thing");
export const RouteNotFound = define("ROUTE_NOT_FOUND", 404, "There is no such route");
export const MethodNotAllowed = define("METHOD_NOT_ALLOWED", 405, "This route does not take that method");
export const RequestTimeout = define("REQUEST_TIMEOUT", 408, "The request took too long to arrive", true);
export const Conflict = define("CONFLICT", 409, "This contradicts what is already there");
export const Cancelled = define("CANCELLED", 409, "This was cancelled before it took effect");
export const KeyInUse = define(
  "IDEMPOTENCY_KEY_IN_USE",
  409,
  "The first request with this key is running",
  true,
);
export const KeyReused = define(
  "IDEMPOTENCY_KEY_REUSED",
  422,
  "This key belongs to a request with other contents",
);
export const BidTooLow = define("BID_TOO_LOW", 409, "The bid is under the least that would be accepted");
export const AuctionEnded = define("AUCTION_ENDED", 410, "The auction is over");
export const BodyTooLarge = define("BODY_TOO_LARGE", 413, "The request body is too large");
export const UnsupportedMediaType = define(
  "UNSUPPORTED_MEDIA_TYPE",
  415,
  "The body is of an unsupported kind",
);
export const ExpectationFailed = define("EXPECTATION_FAILED", 417, "This expectation cannot be met");
export const ValidationFailed = define("VALIDATION_FAILED", 422, "The request has invalid fields");
export const UpgradeRequired = define("UPGRADE_REQUIRED", 426, "This speaks another protocol");
export const HeadersTooLarge = define("HEADERS_TOO_LARGE", 431, "The request's headers are too large");
export const Internal = define("INTERNAL", 500, "The service failed");
export const Overloaded = define("OVERLOADED", 503, "The service has all it can do", true);
export const DependencyUnavailable = define(
  "DEPENDENCY_UNAVAILABLE",
  503,
  "Something this service needs does not answer",
  true,
);

/** Every error class of the list, for whoever must walk it. */
export const errorClasses = [
  BodyMissing,
  MalformedBody,
  BadRequest,
  Forbidden,
  NotFound,
  RouteNotFound,
  MethodNotAllowed,
  RequestTimeout,
  Conflict,
  Cancelled,
  KeyInUse,
  KeyReused,
  BidTooLow,
  AuctionEnded,
  BodyTooLarge,
  UnsupportedMediaType,
  ExpectationFailed,
  ValidationFailed,
  UpgradeRequired,
  HeadersTooLarge,
  Internal,
  Overloaded,
  DependencyUnavailable,
] as const;
