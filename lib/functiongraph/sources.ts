/** The events of FunctionGraph that ask for a backup, distinguished by their shape. */
import { InvalidRequest } from '../errors.ts';
import { fieldsOf, isObject, type JsonObject, parseJson, textOf } from '../json.ts';
import { readId, readTime, recent, scheduledTime } from '../service/identity.ts';
import { describeEvent } from '../service/log.ts';
import { EVENT_SOURCE, type EventDescription, type ParsedEvent } from '../service/ports.ts';
import { isoSeconds, MINUTE, parseRfc3339 } from '../time.ts';

/** One request in an event; reading it may fail without the others. */
export interface EventPart {
  /** It is one of our own events: the function is subscribed to the topic that it publishes to. */
  readonly isOwn: boolean;
  readonly description: EventDescription;
  /** @throws InvalidRequest when the trigger's id or time is malformed */
  readonly parse: () => ParsedEvent;
}

/**
 * Whether the time of a timer is the planned or the actual one is not documented, so it is cut to a grid. A timer may be a
 * minute early, and four late. Schedules must be on the grid: `02:00`, not `02:04`.
 */
const TIMER_GRID = 5 * MINUTE;
const MAX_EARLY = MINUTE;

const onGrid = (time: Date): Date => {
  const latest = time.getTime() + MAX_EARLY;
  return new Date(latest - (latest % TIMER_GRID));
};

/**
 * The planned time of a timer's event, `{ "time": "2026-03-01T10:30:00+08:00" }`.
 * @throws InvalidRequest for any other time, and for one more than five minutes ahead
 */
export const timerTime = (event: unknown, now: Date): Date => onGrid(scheduledTime(event, now));

/** The requests in an event: one in each SMN record, one in a timer's user event, or a direct call's payload. */
export function partsOf(event: unknown, now: Date): readonly EventPart[] {
  const fields = fieldsOf(event);
  if (Array.isArray(fields.record) && fields.record.length > 0)
    return fields.record.map((record) => smnPart(fieldsOf(fieldsOf(record).smn)));
  return [fields.trigger_type === 'TIMER' ? timerPart(fields, now) : directPart(event, now)];
}

/** A message of Simple Message Notification. `message_id` and `timestamp` survive a redelivery. */
function smnPart({ message, message_id, timestamp }: JsonObject): EventPart {
  const request = parseText(message);
  return {
    isOwn: fieldsOf(request).source === EVENT_SOURCE,
    description: describeEvent('smn', message_id, request),
    parse: () => ({
      request: demandJson(request, 'The message'),
      trigger: { kind: 'smn', id: readId('/smn/message_id', message_id), time: readTime('/smn/timestamp', timestamp) },
    }),
  };
}

/** A timer: its name and time, and the request in its user event. */
function timerPart(event: JsonObject, now: Date): EventPart {
  const { trigger_name, time, user_event } = event;
  const request = parseText(user_event);
  const stated = parseRfc3339(time);
  const name = textOf(trigger_name);
  const key = stated ? `${name} ${isoSeconds(onGrid(stated).getTime())}` : name;
  return {
    isOwn: false,
    description: describeEvent('timer', key, request),
    parse: () => ({
      request: demandJson(request, 'The user event of the timer'),
      trigger: {
        kind: 'timer',
        id: readId('/trigger_name', trigger_name),
        time: timerTime(event, now),
      },
    }),
  };
}

/** A direct call: `id` is required, since a retry may have another request id. */
function directPart(event: unknown, now: Date): EventPart {
  const { id, time, ...request } = fieldsOf(event);
  return {
    isOwn: false,
    description: describeEvent('invoke', id, request),
    parse: () => ({
      request: isObject(event) ? request : event,
      trigger: {
        kind: 'invoke',
        id: readId('/id', id),
        ...(time !== undefined && { time: recent('/time', readTime('/time', time), now) }),
      },
    }),
  };
}

const parseText = (text: unknown): unknown => (typeof text === 'string' ? parseJson(text) : undefined);

function demandJson(request: unknown, what: string): unknown {
  if (request !== undefined) return request;
  throw new InvalidRequest(422, `${what} is not well-formed JSON. Send {"backup":{…}}`);
}
