/** The events of a simulation, of every kind of trigger, and when each of them is delivered: from once to nine times. */
import type { Trigger } from '../../lib/backup/trigger.ts';
import type { Chance } from './chance.ts';
import { type Conditions, paceOf, projectOf, skewOf } from './conditions.ts';

/** Where an event comes from, which decides what its deliveries have in common. */
export type Source =
  /** http: signed, under a `webhook-id` that every delivery repeats; request id, timestamp and signature are new. */
  | 'webhook'
  /** http: authorised by the gateway, under an `idempotency-key` that every delivery repeats; request id and time are new. */
  | 'idempotent-request'
  /** http: authorised by the gateway, with an id and a time of its own. Sent again it is another event. */
  | 'plain-request'
  /** The same at FunctionGraph's gateway, which states no time. */
  | 'timeless-request'
  /** EventBridge: every delivery has the same `id` and `time`. */
  | 'event-bus'
  /** Simple Message Notification: every delivery has the same `message_id` and `timestamp`. */
  | 'smn'
  /** A timer of FunctionGraph: every delivery is for the same planned time, and may state one a little off. */
  | 'timer'
  /** invoke without an id: an asynchronous retry keeps its request id. */
  | 'async-invoke'
  /** invoke with an `id` in the payload, under a new request id each time. */
  | 'invoke-with-id'
  /** invoke with an `id` and a `time` in the payload. */
  | 'invoke-with-time';

export interface Wanted {
  readonly instance_id: string;
  readonly name?: string;
  readonly name_prefix?: string;
  readonly description?: string;
}

export interface PlannedEvent {
  readonly number: number;
  readonly source: Source;
  readonly id: string;
  readonly backup: Wanted;
  /**
   * A number is milliseconds since the begin of the simulation. An event that asks for the very same backup as an earlier
   * one waits until that one's last delivery has ended: see `SEPARATION_MILLIS`.
   */
  readonly when: number | { readonly after: number; readonly by: number };
  /**
   * From there to the time that the event states, where it states one: a caller's clock may be ahead, and EventBridge
   * lets its senders state any time.
   */
  readonly statedAfter: number;
  /** From there to the start of each delivery. */
  readonly deliveredAfter: readonly number[];
  /** From there to the time after which nothing may be submitted, where the request gives one. */
  readonly notAfter: number | undefined;
  /** http: the sender does not wait for the answer, `Prefer: respond-async` or `POST /webhooks`. FunctionGraph ignores it. */
  readonly isAsync: boolean;
  /** The project that the request names. */
  readonly project: string | undefined;
  /** How likely each call at DDS is to get a fault. */
  readonly faultRate: number;
}

/**
 * Two events that give the same name, instance and description are distinguished by their times only, with a tolerance of
 * two seconds. The second keeps this distance from everything that the first still does.
 */
const SEPARATION_MILLIS = 3000;

/** Where DDS's answers show another clock than that of its backups, times tell only what lies further apart. */
const separation = (conditions: Conditions): number => {
  const { backups, shown } = skewOf(conditions);
  return SEPARATION_MILLIS + Math.abs(backups - shown);
};

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Plans the `count` events of a simulation. */
export function plan(count: number, conditions: Conditions, draw: Chance): readonly PlannedEvent[] {
  const { instances } = conditions;
  const pace = paceOf(conditions);
  const events: PlannedEvent[] = [];
  /** The last event that asked for exactly this backup. */
  const lastOf = new Map<string, PlannedEvent>();
  const identify = identifiers(draw);
  let clock = 0;

  for (let number = 0; number < count; number++) {
    clock += draw.happens(0.1) ? 0 : -Math.log(1 - draw.next()) * pace;
    const source = draw.pick(SOURCES[conditions.platform]);
    const earlier = events.length > 0 && draw.happens(0.3) ? draw.pick(events.slice(-50)) : undefined;
    const backup = draw.happens(0.5) ? derived(earlier, draw, instances) : named(number, earlier, draw, instances);
    const before = backup.name === undefined ? undefined : lastOf.get(identity(backup));
    const event: PlannedEvent = {
      number,
      source,
      id: identify(number, source, backup),
      backup,
      when: before
        ? { after: before.number, by: separation(conditions) + 1 + distance(draw) }
        : (timeOfRival(earlier, backup, draw) ?? clock),
      ...deliveries(source, before !== undefined, draw),
      notAfter: draw.happens(0.15) ? deadline(draw) : undefined,
      isAsync: isRepeated(source) && kindOf(source) === 'http' && draw.happens(0.4),
      project: draw.happens(0.2) ? projectOf(conditions, backup.instance_id) : undefined,
      faultRate: draw.weighted([
        [3, 0],
        [3, 0.15],
        [3, 0.5],
        [1, 0.9],
      ]),
    };
    events.push(event);
    if (backup.name !== undefined) lastOf.set(identity(backup), event);
  }
  return events;
}

const SHARED = ['webhook', 'idempotent-request', 'invoke-with-id', 'invoke-with-time'] as const;

const SOURCES: Readonly<Record<Conditions['platform'], readonly Source[]>> = {
  aws: [...SHARED, 'plain-request', 'event-bus', 'async-invoke'],
  functiongraph: [...SHARED, 'timeless-request', 'smn', 'timer'],
};

/** DDS may keep a description trimmed and in Unicode's NFC. */
const identity = ({ name, instance_id, description = '' }: Wanted): string =>
  JSON.stringify([name, instance_id, description.normalize('NFC').trim()]);

const describe = (draw: Chance): { description?: string } =>
  draw.weighted([
    [3, {}],
    [1, { description: '' }],
    [3, { description: 'nightly' }],
    [1, { description: 'Größe ✓ 😀' }],
    [1, { description: '  release 7\n' }],
    [1, { description: 'Größe'.normalize('NFD') }],
  ]);

const LONGEST_PREFIX = 'before-migration_of-orders_000';

/** A name that is derived: often for the very backup that an earlier event asks for. */
function derived(earlier: PlannedEvent | undefined, draw: Chance, instances: Conditions['instances']): Wanted {
  if (earlier && earlier.backup.name === undefined && draw.happens(0.5)) return earlier.backup;
  return {
    instance_id: draw.pick(instances).id,
    name_prefix: draw.pick(['nightly', 'n', LONGEST_PREFIX]),
    ...describe(draw),
  };
}

/** A name that the caller gives: a new one, or that of an earlier event, for the same backup or for another one. */
function named(
  number: number,
  earlier: PlannedEvent | undefined,
  draw: Chance,
  instances: Conditions['instances'],
): Wanted {
  const name = earlier?.backup.name;
  if (earlier === undefined || name === undefined)
    return { instance_id: draw.pick(instances).id, name: `Backup_${number}`, ...describe(draw) };
  return draw.weighted<() => Wanted>([
    [2, () => earlier.backup],
    [1, () => ({ ...earlier.backup, description: `rival ${number}` })],
    [1, () => ({ ...earlier.backup, instance_id: draw.pick(instances).id })],
    [1, () => ({ ...earlier.backup, name: name.toUpperCase() })],
  ])();
}

/** Requests under the same name, or for the same backup, often come at the same time. */
function timeOfRival(earlier: PlannedEvent | undefined, backup: Wanted, draw: Chance): number | undefined {
  if (!earlier || typeof earlier.when !== 'number') return undefined;
  const isRival = backup === earlier.backup || (backup.name !== undefined && backup.name === earlier.backup.name);
  return isRival && draw.happens(0.5) ? Math.max(0, earlier.when + draw.between(-SECOND, 3 * SECOND)) : undefined;
}

/** Ids, some of which repeat for another kind of trigger or another instance, where they identify another trigger. */
function identifiers(draw: Chance): (number: number, source: Source, backup: Wanted) => string {
  const used = new Set<string>();
  return (number, source, { instance_id }) => {
    const shared = `shared-${draw.whole(0, 30)}`;
    const key = JSON.stringify([kindOf(source), shared, instance_id]);
    if (!draw.happens(0.15) || used.has(key)) return `event-${number}`;
    used.add(key);
    return shared;
  };
}

export function kindOf(source: Source): Trigger['kind'] {
  switch (source) {
    case 'event-bus':
    case 'smn':
    case 'timer':
      return source;
    case 'async-invoke':
    case 'invoke-with-id':
    case 'invoke-with-time':
      return 'invoke';
    default:
      return 'http';
  }
}

/** Whether the deliveries of an event say that they are of the same. */
const isRepeated = (source: Source): boolean => !['plain-request', 'timeless-request'].includes(source);

/** Whether a time is part of what identifies an event. */
export const statesTime = (source: Source): boolean =>
  ['plain-request', 'event-bus', 'smn', 'timer', 'invoke-with-time'].includes(source);

/** The times that a source states are multiples of this, in milliseconds. */
export function gridOf(source: Source): number {
  if (source === 'timer') return 5 * MINUTE;
  return ['event-bus', 'smn'].includes(source) ? SECOND : 1;
}

const distance = (draw: Chance): number =>
  draw.weighted([
    [3, draw.between(0, 3 * SECOND)],
    [2, draw.between(0, 5 * MINUTE)],
    [1, draw.between(0, 20 * HOUR)],
  ]);

function deliveries(source: Source, isSequel: boolean, draw: Chance) {
  const furthest = source === 'event-bus' ? 72 * HOUR : source === 'invoke-with-time' ? 4 * MINUTE : 0;
  const ahead = furthest > 0 && !isSequel && draw.happens(0.2);
  const statedAfter = ahead ? draw.between(0, furthest) : 0;
  const late = source === 'invoke-with-time' && !ahead && draw.happens(0.5);
  const first = draw.between(0, late ? 10 * MINUTE : 3 * SECOND);
  const more = isRepeated(source) ? redeliveries(draw) : 0;
  return {
    statedAfter,
    deliveredAfter: [first, ...Array.from({ length: more }, () => first + redelivery(draw))],
  };
}

/** Some seconds, within which an attempt may end, or hours. */
const deadline = (draw: Chance): number =>
  draw.weighted([
    [1, draw.between(0, 30 * SECOND)],
    [1, draw.between(0, 3 * HOUR)],
  ]);

/** A few, or more than a trigger has attempts. */
const redeliveries = (draw: Chance): number =>
  draw.weighted([
    [0.95, draw.whole(0, 3)],
    [0.05, 8],
  ]);

/** At the same time, as retries come, a day later, or days later, as an archive is replayed. */
const redelivery = (draw: Chance): number =>
  draw.weighted([
    [4, draw.between(0, 1500)],
    [2, draw.between(2 * SECOND, 90 * SECOND)],
    [2, draw.between(MINUTE, 2 * HOUR)],
    [1, draw.between(20 * HOUR, 23.5 * HOUR)],
    [0.2, draw.between(24.5 * HOUR, 30 * HOUR)],
    [0.5, draw.between(2 * 24 * HOUR, 20 * 24 * HOUR)],
  ]);
