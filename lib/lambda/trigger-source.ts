/** The three kinds of trigger: where in the event the request stands, and who the trigger is. */
import type { Context } from 'aws-lambda';
import type { Trigger } from '../backup/trigger.ts';
import { type HttpEvent, isObject } from './http-event.ts';
import { InvalidRequest } from './invalid-request.ts';

export interface TriggerSource<Event> {
  readonly kind: Trigger['kind'];
  readonly request: (event: Event) => unknown;
  /** @throws InvalidRequest when the event's id or time is none */
  readonly identify: (event: Event, context: Pick<Context, 'awsRequestId'>) => Trigger;
}

const MINUTE = 60 * 1000;
const LONGEST_ID = 256;

/** EventBridge: `id` and `time` survive a redelivery. */
export const eventBus: TriggerSource<{
  readonly id?: unknown;
  readonly time?: unknown;
  readonly detail?: unknown;
} | null> = {
  kind: 'event-bus',
  request: (event) => event?.detail,
  identify: (event) => ({ kind: 'event-bus', id: idAt('/id', event?.id), time: timeAt('/time', event?.time) }),
};

/**
 * Another function or a schedule: `id` and `time` beside `backup`, each optional. Without an id the request id is
 * taken, which Lambda's own asynchronous retry keeps.
 * @param queuedMillis how long the event may have waited before `now`
 */
export const invoke = (now: () => Date, queuedMillis = 0): TriggerSource<unknown> => ({
  kind: 'invoke',
  request: (event) => {
    if (!isObject(event)) return event;
    const { id: _id, time: _time, ...request } = event;
    return request;
  },
  identify: (event, context) => {
    const { id, time } = isObject(event) ? event : {};
    return {
      kind: 'invoke',
      id: id === undefined ? context.awsRequestId : idAt('/id', id),
      ...(time !== undefined && { time: recent('/time', timeAt('/time', time), now(), queuedMillis) }),
    };
  },
});

/** A webhook: the id that its sender repeats with every delivery, else the gateway's id and time of this one. */
export const http: TriggerSource<HttpEvent> = {
  kind: 'http',
  request: ({ body }) => body,
  identify: ({ headers, requestContext }, context) => {
    for (const name of ['webhook-id', 'idempotency-key']) {
      const id = headers[name];
      if (id !== undefined) return { kind: 'http', id: idAt(`/headers/${name}`, id) };
    }
    const { requestId, timeEpoch, requestTimeEpoch } = requestContext;
    const epoch = timeEpoch ?? requestTimeEpoch;
    const time = new Date(typeof epoch === 'number' ? epoch : Number.NaN);
    return {
      kind: 'http',
      id: typeof requestId === 'string' && requestId !== '' ? requestId : context.awsRequestId,
      ...(isOfOurEra(time) && { time }),
    };
  },
};

function idAt(path: string, id: unknown): string {
  if (typeof id === 'string' && id.length >= 1 && id.length <= LONGEST_ID) return id;
  throw notIdentified(path, `must be a string of 1 to ${LONGEST_ID} characters`);
}

/** RFC 3339, as EventBridge and its Scheduler write it. Throws InvalidRequest for anything else. */
export function timeAt(path: string, text: unknown): Date {
  const format = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
  const time = new Date(typeof text === 'string' && format.test(text) ? text : Number.NaN);
  if (isOfOurEra(time)) return time;
  throw notIdentified(path, 'must be a time such as 2026-01-31T23:59:59Z');
}

/** From 1970 to 9999: a year of four digits. */
const isOfOurEra = (time: Date): boolean => time.getTime() >= 0 && time.getTime() < Date.UTC(10000, 0);

function recent(path: string, time: Date, now: Date, queuedMillis: number): Date {
  const age = now.getTime() - time.getTime();
  if (age <= 24 * 60 * MINUTE + queuedMillis && age >= -5 * MINUTE) return time;
  throw notIdentified(path, 'must lie within the last 24 hours and at most 5 minutes ahead');
}

export const notIdentified = (path: string, message: string) =>
  new InvalidRequest(400, 'The trigger is not identified', [{ path, message }]);
