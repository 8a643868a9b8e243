/**
 * The record that Lambda sends to the failure destination of an asynchronous invocation: the event, and how it ended.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
import { validRequest } from '../backup/request.ts';
import { backupNames, commandOf, type ValidEvent } from '../backup/trigger.ts';
import { codeIn } from '../dds/errors.ts';
import { type Failure, InvalidRequest, isReason, REASONS, type Retry } from '../errors.ts';
import { fieldsOf, isObject, textOf } from '../json.ts';
import type { ErrorDescription, EventDescription, ParsedEvent, Source } from '../service/ports.ts';
import { DAY, MINUTE } from '../time.ts';
import { eventBus, invoke } from './sources.ts';

/** A request to retry. */
export interface DeferredRequest {
  readonly event: ValidEvent;
  readonly description: RecordDescription;
  readonly firstDelivery: Date;
  readonly outcomeUnknown: boolean;
  /** What the first delivery failed with. */
  readonly error: ErrorDescription;
  readonly retry: Retry;
  /** The function ended without an error of ours: a crash, Lambda's time-out, or it could not be started. */
  readonly isCrash: boolean;
}

/** What of a record, however malformed, can be logged and published. */
export interface RecordDescription extends Partial<EventDescription> {
  /** The backup's. */
  readonly name?: string;
  /** When the event failed first. */
  readonly since?: string;
  readonly request_id?: string;
}

/** The time-out of `event-bus` and `invoke`, twice: Lambda may have begun an invocation again. */
const MAX_INVOCATION = 2 * MINUTE;
const MAX_MESSAGE = 1000;
const MAX_NAME = 64;

/** @throws InvalidRequest when it is no such record, or no backup can be made from its event */
export function parseRecord(record: unknown): DeferredRequest {
  const { timestamp, requestContext, requestPayload, responsePayload } = fieldsOf(record);
  const { requestId } = fieldsOf(requestContext);
  const endedAt = new Date(typeof timestamp === 'string' ? timestamp : Number.NaN);
  const missing = [
    ...(requestPayload === undefined ? ['/requestPayload'] : []),
    ...(Number.isNaN(endedAt.getTime()) ? ['/timestamp'] : []),
    ...(typeof requestId !== 'string' || requestId === '' ? ['/requestContext/requestId'] : []),
  ];
  if (missing.length > 0 || typeof requestId !== 'string') {
    const details = missing.map((path) => ({ path, message: 'is required' }));
    throw new InvalidRequest(400, 'The event is no record of a failed invocation', details);
  }
  const event = readEvent(sourceOf(record, endedAt).parse(requestPayload, { awsRequestId: requestId }));
  const description = describeRecord(record);
  return {
    event,
    description: { ...description, idempotency_key: event.trigger.id, name: backupNames(commandOf(event))[0] ?? '' },
    ...readError(responsePayload, endedAt),
  };
}

export function describeRecord(record: unknown): RecordDescription {
  const { timestamp, requestContext, requestPayload } = fieldsOf(record);
  const { requestId } = fieldsOf(requestContext);
  return {
    ...(requestPayload !== undefined && sourceOf(record, new Date()).describe(requestPayload)),
    ...(typeof timestamp === 'string' && { since: timestamp.slice(0, MAX_NAME) }),
    ...(typeof requestId === 'string' && { request_id: requestId.slice(0, MAX_NAME) }),
  };
}

const readEvent = ({ request, trigger }: ParsedEvent): ValidEvent => ({ request: validRequest(request), trigger });

/** By the function that failed. Without one, by `detail`, which a request to `invoke` cannot have. */
function sourceOf(record: unknown, endedAt: Date): Source<unknown> {
  const { requestContext, requestPayload } = fieldsOf(record);
  const { functionArn } = fieldsOf(requestContext);
  const [, name] = /:function:[^:]*?(event-bus|invoke)(?::|$)/.exec(textOf(functionArn)) ?? [];
  const isBus = name === undefined ? isObject(requestPayload) && 'detail' in requestPayload : name === 'event-bus';
  // A time that was recent for the failed invocation stays so, however long the event has waited.
  return isBus ? eventBus : invoke(() => endedAt);
}

/** Lambda keeps only the name and the message of an error. What else `deferred` needs stands at the message's end. */
const TRAILER = / \[first delivery (\S+)(, outcome unknown)?(, retry later)?\]$/;

/** Adds what `deferred` needs to know to an error that Lambda is about to put into a record. */
export function addTrailer(failure: Failure, firstDelivery: Date): void {
  const isFlagged = failure.retry === 'later' && REASONS[failure.name].retry === 'never';
  const flags = `${failure.outcomeUnknown ? ', outcome unknown' : ''}${isFlagged ? ', retry later' : ''}`;
  failure.message += ` [first delivery ${firstDelivery.toISOString()}${flags}]`;
}

function readError(payload: unknown, endedAt: Date): Omit<DeferredRequest, 'event' | 'description'> {
  const { errorType, errorMessage } = fieldsOf(payload);
  const whole = typeof errorMessage === 'string' ? errorMessage : '';
  const [trailer = '', stated, unknown, later] = TRAILER.exec(whole) ?? [];
  const message = whole.slice(0, whole.length - trailer.length).slice(0, MAX_MESSAGE);
  const name = typeof errorType === 'string' ? errorType.slice(0, MAX_NAME) : 'Unhandled';
  const isStarted = payload !== undefined && payload !== null;
  const meaning: { readonly retry: Retry; readonly outcomeUnknown?: boolean } = isReason(name)
    ? REASONS[name]
    : { retry: 'later', outcomeUnknown: isStarted };
  const outcomeUnknown = trailer === '' ? (meaning.outcomeUnknown ?? false) : unknown !== undefined;
  // What is there from before a refusal whose outcome is known is not of this trigger.
  const earliest = outcomeUnknown ? new Date(endedAt.getTime() - MAX_INVOCATION) : endedAt;
  const dds_code = codeIn(message);
  return {
    firstDelivery: plausible(stated, endedAt) ?? earliest,
    outcomeUnknown,
    // The message of an error that is not ours may hold anything.
    error: { reason: name, ...(isReason(name) && { message }), ...(dds_code !== undefined && { dds_code }) },
    retry: later === undefined ? meaning.retry : 'later',
    isCrash: isStarted && !isReason(name),
  };
}

function plausible(stated: string | undefined, endedAt: Date): Date | undefined {
  const time = new Date(stated ?? '');
  const age = endedAt.getTime() - time.getTime();
  return age >= 0 && age <= DAY ? time : undefined;
}
