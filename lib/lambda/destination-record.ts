/**
 * What Lambda tells the failure destination of an asynchronous invocation: the event that it was given, and its end.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
import { backupName } from '../backup/name.ts';
import type { Trigger } from '../backup/trigger.ts';
import { type BackupRequest, validateRequest } from '../backup/validate-request.js';
import { Failure } from '../failure.ts';
import { isObject } from './http-event.ts';
import { InvalidRequest } from './invalid-request.ts';
import { type Facts, instanceId } from './log.ts';
import { eventBus, invoke, type TriggerSource } from './trigger-source.ts';

export interface DestinationRecord {
  /** Of the invocation: what the function saw as its `awsRequestId`. */
  readonly requestId: string;
  /** When Lambda gave the invocation up. */
  readonly endedAt: Date;
  /** None where the function could not be started for as long as the event may wait. */
  readonly error: { readonly name: string; readonly message: string } | undefined;
}

/** `maximumEventAge` in serverless.yml: how long an event may have waited for its function. */
const LONGEST_IN_QUEUE = 60 * 60 * 1000;
const LONGEST_MESSAGE = 1000;

/** @throws InvalidRequest when it is no such record */
export function readRecord(event: unknown): DestinationRecord {
  const { timestamp, requestContext, requestPayload, responsePayload } = fieldsOf(event);
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
  return { requestId, endedAt, error: errorIn(responsePayload) };
}

/** A function that has ended the process tells of no type. */
function errorIn(responsePayload: unknown): DestinationRecord['error'] {
  if (responsePayload === undefined || responsePayload === null) return undefined;
  const { errorType, errorMessage } = fieldsOf(responsePayload);
  return {
    name: typeof errorType === 'string' ? errorType : 'Unhandled',
    message: typeof errorMessage === 'string' ? errorMessage.slice(0, LONGEST_MESSAGE) : '',
  };
}

/**
 * The request and the trigger as the failed invocation saw them. A time that was good for that invocation stays so,
 * however long the event has waited since.
 * @throws InvalidRequest when the request breaks a rule of the schema, or the trigger's id or time is none
 */
export function readOriginal(
  event: unknown,
  { requestId, endedAt }: DestinationRecord,
): { readonly request: BackupRequest; readonly trigger: Trigger } {
  const { request, identify } = originalOf(event, endedAt);
  if (!validateRequest(request)) throw new InvalidRequest(400, 'The request is invalid', validateRequest.errors ?? []);
  return { request, trigger: identify(requestId) };
}

/** What can be told of the original event, however little that is. */
export interface Original extends Facts {
  /** The backup's. */
  readonly name?: string;
  /** When the event failed first. */
  readonly since?: string;
}

export function factsOf(event: unknown): Original {
  const { timestamp, requestContext, requestPayload } = fieldsOf(event);
  const { kind, request, identify } = originalOf(
    event,
    new Date(typeof timestamp === 'string' ? timestamp : Number.NaN),
  );
  const { requestId } = fieldsOf(requestContext);
  const trigger = orNothing(() => identify(typeof requestId === 'string' ? requestId : ''));
  return {
    trigger: requestPayload === undefined ? undefined : kind,
    trigger_id: trigger?.id || undefined,
    instance_id: instanceId(request),
    ...(trigger?.id && validateRequest(request) && { name: backupName(request.backup, trigger) }),
    ...(typeof timestamp === 'string' && { since: timestamp }),
  };
}

/** EventBridge's events have a `detail`, which `invoke` would not accept. */
function originalOf(event: unknown, endedAt: Date) {
  const { requestPayload } = fieldsOf(event);
  const seenBy = <Event>({ kind, request, identify }: TriggerSource<Event>, payload: Event) => ({
    kind,
    request: request(payload),
    identify: (awsRequestId: string) => identify(payload, { awsRequestId }),
  });
  return isObject(requestPayload) && 'detail' in requestPayload
    ? seenBy(eventBus, requestPayload)
    : seenBy(
        invoke(() => endedAt, LONGEST_IN_QUEUE),
        requestPayload,
      );
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : {});

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
