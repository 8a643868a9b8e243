/** The errors of this service, and the one table of what each of them means. */

/** Whether and when the same request may succeed: at once, later (`deferred` retries it), or never. */
export type Retry = 'now' | 'later' | 'never';

interface Meaning {
  /** The status over HTTP, where DDS gave none. */
  readonly status: number;
  /** DDS's own status would mislead the caller, and is not passed on. */
  readonly hidesStatus?: true;
  /** The cause is with us: our key, our secret or our configuration. */
  readonly isOurs?: true;
  readonly retry: Retry;
  /** `warn`: by the caller's or DDS's rules. `error`: for the operator to fix. */
  readonly level: 'warn' | 'error';
  /** The backup may exist although no answer says so. */
  readonly outcomeUnknown?: true;
  /** `Retry-After` in seconds, where DDS gave none. */
  readonly retryAfterSeconds?: number;
}

/** By the stable name that callers match on: `reason` over HTTP, the error's name elsewhere. */
export const REASONS = {
  InvalidRequest: { status: 400, retry: 'never', level: 'warn' },
  Unauthorized: { status: 401, retry: 'never', level: 'warn' },
  AuthenticationUnavailable: { status: 503, retry: 'later', level: 'warn', retryAfterSeconds: 30 },
  InstanceNotFound: { status: 404, retry: 'never', level: 'warn' },
  BackupNotFound: { status: 404, retry: 'never', level: 'warn' },
  BackupNameTaken: { status: 409, retry: 'never', level: 'warn' },
  BackupFailed: { status: 409, retry: 'never', level: 'warn' },
  DeadlinePassed: { status: 409, retry: 'never', level: 'warn' },
  InstanceBusy: { status: 409, retry: 'later', level: 'warn', retryAfterSeconds: 60 },
  Throttled: { status: 429, retry: 'now', level: 'warn', retryAfterSeconds: 5 },
  DdsRejected: { status: 502, retry: 'never', level: 'warn' },
  DdsUnavailable: { status: 503, retry: 'now', level: 'error', outcomeUnknown: true, retryAfterSeconds: 30 },
  CredentialsRefused: { status: 502, hidesStatus: true, isOurs: true, retry: 'later', level: 'error' },
  UpstreamUnreachable: { status: 502, retry: 'now', level: 'error', outcomeUnknown: true, retryAfterSeconds: 30 },
  UpstreamInvalid: {
    status: 502,
    hidesStatus: true,
    retry: 'now',
    level: 'error',
    outcomeUnknown: true,
    retryAfterSeconds: 30,
  },
  UpstreamTimeout: { status: 504, retry: 'now', level: 'error', outcomeUnknown: true, retryAfterSeconds: 30 },
  OutcomeUnknown: { status: 504, retry: 'later', level: 'error', outcomeUnknown: true, retryAfterSeconds: 30 },
  SecretUnavailable: { status: 503, isOurs: true, retry: 'later', level: 'error', retryAfterSeconds: 30 },
  ConfigurationError: { status: 500, hidesStatus: true, isOurs: true, retry: 'never', level: 'error' },
  PublishFailed: { status: 502, retry: 'later', level: 'error' },
} as const satisfies Readonly<Record<string, Meaning>>;

export type Reason = keyof typeof REASONS;

export const isReason = (name: string): name is Reason => Object.hasOwn(REASONS, name);

/** A backup as far as an error may mention it. */
export interface KnownBackup {
  readonly id: string;
  readonly name: string;
  readonly instance_id: string;
  readonly status: string;
  /** ISO 8601, UTC, by DDS's clock; missing where DDS lists none that can be read. */
  readonly began_at?: string;
}

/** What of a request is known when it fails. */
export interface Annotation {
  /** The name under which DDS was asked for the backup. */
  readonly name?: string;
  /** How often DDS was asked to create it. */
  readonly attempts?: number;
  /** The backup that holds the name. */
  readonly backup?: KnownBackup;
  readonly project_id?: string;
  readonly region?: string;
}

export interface FailureOptions extends ErrorOptions {
  /** Where it differs from the table. */
  readonly retry?: Retry;
  /** Where it differs from the table. */
  readonly outcomeUnknown?: boolean;
}

/** Characters. A message may quote an answer or an event, and must fit into a log line and a queue's message. */
export const MAX_MESSAGE = 1000;

/**
 * An error that this service throws on purpose: a stable name, a message that says what is wrong and what to do.
 * It holds no request, header, body or secret, so that it may be logged whole.
 */
export class Failure extends Error {
  /** Of the class, in the log of Lambda: minifying would shorten it to a letter. */
  static override readonly name: string = 'Failure';
  /** Of the error. */
  override readonly name: Reason;
  readonly retry: Retry;
  readonly outcomeUnknown: boolean;
  /** Set by `annotate`. */
  declare annotation?: Annotation;

  constructor(reason: Reason, message: string, { retry, outcomeUnknown, ...options }: FailureOptions = {}) {
    super(message.slice(0, MAX_MESSAGE), options);
    const meaning: Meaning = REASONS[reason];
    this.name = reason;
    this.retry = retry ?? meaning.retry;
    this.outcomeUnknown = outcomeUnknown ?? meaning.outcomeUnknown ?? false;
  }

  get meaning(): Meaning {
    return REASONS[this.name];
  }
}

/** Adds what is known of the request to an error, and a sentence to its message: the only place where both change. */
export function annotate<E extends Failure>(failure: E, annotation: Annotation, sentence = ''): E {
  failure.annotation = { ...failure.annotation, ...annotation };
  if (sentence && !failure.message.endsWith(sentence)) {
    failure.message = `${failure.message.slice(0, MAX_MESSAGE - sentence.length - 1)} ${sentence}`;
  }
  return failure;
}

/** One rule that a request breaks: where (a JSON pointer into the request), and what it must be. */
export interface Violation {
  readonly path: string;
  readonly message: string;
}

const MAX_DETAILS = 100;
const MAX_DETAILS_IN_MESSAGE = 20;

/** No backup can be made from the event; DDS was not asked. */
export class InvalidRequest extends Failure {
  static override readonly name: string = 'InvalidRequest';
  readonly status: 400 | 404 | 405 | 413 | 415 | 422;
  /** Of the answer over HTTP. */
  readonly headers: Readonly<Record<string, string>>;
  // Private: a log line would else hold every violation of a hostile event.
  readonly #details: readonly Violation[];

  constructor(
    status: InvalidRequest['status'],
    message: string,
    details: readonly Violation[] = [],
    headers: InvalidRequest['headers'] = {},
  ) {
    const listed = details.slice(0, MAX_DETAILS_IN_MESSAGE).map(({ path, message }) => `${path || '/'} ${message}`);
    const more = details.length > listed.length ? [`and ${details.length - listed.length} more`] : [];
    super('InvalidRequest', details.length > 0 ? `${message}: ${[...listed, ...more].join('; ')}` : message);
    this.status = status;
    this.headers = headers;
    this.#details = details.slice(0, MAX_DETAILS);
  }

  /** The first hundred. */
  get details(): readonly Violation[] {
    return this.#details;
  }
}
