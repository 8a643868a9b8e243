/** What identifies a trigger: ids and times, as the events of every platform state them. */
import { MAX_TRIGGER_AGE } from '../backup/ownership.ts';
import { InvalidRequest } from '../errors.ts';
import { fieldsOf, isObject } from '../json.ts';
import { MINUTE, MUST_BE_A_TIME, parseRfc3339 } from '../time.ts';
import { describeEvent, MAX_ID_LENGTH } from './log.ts';
import type { HttpRequest, Source } from './ports.ts';

const MAX_TIME_AHEAD = 5 * MINUTE;

/** @throws InvalidRequest for what is not a string of 1 to 256 characters */
export function readId(path: string, id: unknown): string {
  if (typeof id === 'string' && id.length >= 1 && id.length <= MAX_ID_LENGTH) return id;
  throw unidentified(path, `must be a string of 1 to ${MAX_ID_LENGTH} characters`);
}

/** @throws InvalidRequest for what is not an RFC 3339 time */
export function readTime(path: string, text: unknown): Date {
  const time = parseRfc3339(text);
  if (time) return time;
  throw unidentified(path, MUST_BE_A_TIME);
}

/** @throws InvalidRequest for a time more than 31 days old, or more than five minutes ahead */
export function recent(path: string, time: Date, now: Date): Date {
  const age = now.getTime() - time.getTime();
  if (age <= MAX_TRIGGER_AGE && age >= -MAX_TIME_AHEAD) return time;
  throw unidentified(path, 'must be at most 31 days old and 5 minutes ahead');
}

const unidentified = (path: string, message: string): InvalidRequest =>
  new InvalidRequest(400, 'The trigger is not identified', [{ path, message }]);

/**
 * The time in a schedule's event, `{ "time": "2026-03-01T02:30:00Z" }`, however long ago.
 * @throws InvalidRequest for any other, and for one more than five minutes ahead
 */
export function scheduledTime(event: unknown, now: Date): Date {
  const time = parseRfc3339(fieldsOf(event).time);
  if (time && time.getTime() <= now.getTime() + MAX_TIME_AHEAD) return time;
  const message = time ? 'must be at most 5 minutes ahead' : MUST_BE_A_TIME;
  throw new InvalidRequest(400, 'The event of the schedule is invalid', [{ path: '/time', message }]);
}

/**
 * The identity in the nightly schedule's event, `{ "id", "time" }`.
 * @throws InvalidRequest when either is malformed, or the time is too old for `invoke`
 */
export function scheduledNight(event: unknown, now: Date): { readonly id: string; readonly time: string } {
  const { id } = fieldsOf(event);
  const time = recent('/time', scheduledTime(event, now), now);
  return { id: readId('/id', id), time: time.toISOString() };
}

/**
 * An HTTP request: the id that its sender repeats with every delivery, else the gateway's id and time of this one. On a
 * signed request only the signed id counts: anybody on the way may have added another header.
 */
export const http: Source<HttpRequest> = {
  parse: (event, { awsRequestId }) => {
    const { body, headers, signedId, requestId, time, respondAsync = false, isWebhook = false, caller } = event;
    const [path, id] = repeatedIds(headers, signedId).find(([, value]) => value !== undefined) ?? [];
    const repeated = path !== undefined && { id: readId(path, id) };
    const trigger = repeated || { id: requestId ?? awsRequestId, ...(time && { time }) };
    return { request: body, trigger: { kind: 'http', ...trigger }, respondAsync, isWebhook, ...(caller && { caller }) };
  },
  describe: (event) => {
    const { body, headers = {}, signedId, requestId, caller }: Partial<HttpRequest> = isObject(event) ? event : {};
    const [, id] = repeatedIds(headers, signedId).find(([, value]) => value !== undefined) ?? [];
    return { ...describeEvent('http', id ?? requestId, body), ...(caller && { caller }) };
  },
};

const ID_HEADERS = ['webhook-id', 'svix-id', 'idempotency-key'];

const repeatedIds = (headers: HttpRequest['headers'], signedId: string | undefined) =>
  signedId === undefined
    ? ID_HEADERS.map((name) => [`/headers/${name}`, headers[name]] as const)
    : [['/headers/webhook-id', signedId] as const];
