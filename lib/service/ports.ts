/** What a platform gives to the service, and what it maps its events to. */
import type { Trigger, ValidEvent } from '../backup/trigger.ts';

/** Where something happened, as log lines and events say it. */
export interface Origin {
  readonly project_id: string;
  readonly region: string;
}

/** One invocation of a function, in the names of AWS Lambda, which middy was made for. */
export interface Invocation {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/**
 * Reads a secret: a JSON text.
 * @throws Failure `ConfigurationError` when it does not exist or may not be read; `SecretUnavailable` when it cannot be
 * read at the moment
 */
export type SecretReader = (secretId: string) => Promise<string>;

/** An event for whoever listens. Its type is the `detail-type` on a bus. */
export interface BusEvent {
  readonly type:
    | 'DDS Backup Request Deferred'
    | 'DDS Backup Request Failed'
    | 'DDS Backup Completed'
    | 'DDS Backup Failed'
    | 'DDS Backup Stuck'
    | 'DDS Backup Overdue'
    | 'DDS Backup Expired'
    | 'DDS Backup Report';
  /** When it happened. */
  readonly time: Date;
  /** `id` is the same whenever the event is published again. */
  readonly detail: { readonly id: string; readonly [field: string]: unknown };
}

/**
 * Resolves when all events are published. After an error, publishing again repeats some of them, under the same `id`.
 * @throws Failure `PublishFailed`, `ConfigurationError`
 */
export type Publisher = (events: readonly BusEvent[]) => Promise<void>;

/**
 * Sends a text to people.
 * @throws Failure `PublishFailed`, `ConfigurationError`
 */
export type Notifier = (subject: string, text: string) => Promise<void>;

/** What of an error may be logged and published. */
export interface ErrorDescription {
  /** A stable name, or `Unexpected`. */
  readonly reason: string;
  readonly message?: string;
  readonly [field: string]: unknown;
}

/** A request that `deferred` is to retry. */
export interface HandedOver {
  readonly event: ValidEvent;
  readonly firstDelivery: Date;
  /** The backup may exist although no answer said so. */
  readonly outcomeUnknown: boolean;
  /** What the first delivery failed with. */
  readonly error: ErrorDescription;
}

/**
 * Resolves when the request is queued for `deferred`.
 * @throws Failure when it is not, or may not be
 */
export type Handover = (request: HandedOver) => Promise<void>;

/** The result of a request that was handed over. */
export interface Deferred {
  readonly kind: 'deferred';
  readonly name: string;
  readonly instance_id: string;
  /** The deadline of the retries, ISO 8601. */
  readonly not_after: string;
  /** Why it could not be fulfilled at once. */
  readonly error: ErrorDescription;
}

/**
 * Starts the function `invoke` with a payload. Resolves when it is queued.
 * @throws Failure
 */
export type Starter = (payload: object) => Promise<void>;

/** What a source finds in an event. */
export interface ParsedEvent {
  /** Not validated yet. */
  readonly request: unknown;
  readonly trigger: Trigger;
  /** How an HTTP client wants to be answered. */
  readonly respondAsync?: boolean;
  readonly isWebhook?: boolean;
  readonly caller?: string | undefined;
}

/** One kind of event that asks for a backup. */
export interface Source<Event> {
  /** @throws InvalidRequest when the trigger's id or time is malformed */
  readonly parse: (event: Event, invocation: Pick<Invocation, 'awsRequestId'>) => ParsedEvent;
  /** What of any event, however malformed, can be logged. */
  readonly describe: (event: Event) => EventDescription;
}

export interface EventDescription {
  readonly trigger: Trigger['kind'];
  readonly idempotency_key?: string | undefined;
  readonly instance_id?: string | undefined;
  /** Of an HTTP request. */
  readonly caller?: string | undefined;
}

/** What every published event has as its source. */
export const EVENT_SOURCE = 'dds-backup-trigger';

/** An HTTP request, whatever gateway it came through. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The raw text until it is parsed. */
  body: unknown;
  readonly isBase64Encoded: boolean;
  /** The gateway has authorised the caller. */
  readonly isAuthorized: boolean;
  /** Who called, as far as the gateway says. */
  readonly caller?: string | undefined;
  /** The webhook's id that a verified signature covers. */
  signedId?: string;
  /** How the client wants to be answered. */
  respondAsync?: boolean;
  isWebhook?: boolean;
  /** The gateway's own identity and time of the request. */
  readonly requestId: string | undefined;
  readonly time: Date | undefined;
}

export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
