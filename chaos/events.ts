/** What comes in: events of all three kinds, and when each of them is delivered, once or up to four times. */
import type { Chance } from './chance.ts';
import type { Conditions } from './conditions.ts';

/** Where an event comes from, and so what its deliveries have in common. */
export type Source =
  /** http: signed, under a `webhook-id` that every delivery repeats; request id, timestamp and signature are new. */
  | 'webhook'
  /** http: let in by the gateway, under an `idempotency-key` that every delivery repeats; request id and time are new. */
  | 'idempotent-request'
  /** http: let in by the gateway, with an id and a time of its own. Sent again it is another event. */
  | 'plain-request'
  /** EventBridge: every delivery bears the same `id` and `time`. */
  | 'event-bus'
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
   * When it comes about. A number is milliseconds since the world began. An event that asks for the very same backup as
   * an earlier one waits until that one's last delivery has ended: see `SEPARATION`.
   */
  readonly when: number | { readonly after: number; readonly by: number };
  /** From there to the time that the event states, where it states one: a caller's clock may be ahead, and EventBridge
   * lets its senders state any time. */
  readonly statedAfter: number;
  /** From there to the start of each delivery. */
  readonly deliveredAfter: readonly number[];
  /** How likely each call at DDS is to go wrong. */
  readonly roughness: number;
}

/**
 * Two events with the same explicit name, instance and description are by design one and the same to DDS while they
 * are less than two seconds apart, or three with clocks that are up to a second apart. So the second keeps this distance
 * from all that the first still does.
 */
export const SEPARATION = 3000;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Plans the `count` events of a world. */
export function plan(count: number, { instances, pace }: Conditions, chance: Chance): readonly PlannedEvent[] {
  const events: PlannedEvent[] = [];
  /** The last event that asked for exactly this backup. */
  const lastOf = new Map<string, PlannedEvent>();
  const identify = identifiers(chance);
  let clock = 0;

  for (let number = 0; number < count; number++) {
    clock += chance.happens(0.1) ? 0 : -Math.log(1 - chance.next()) * pace;
    const source = chance.pick(SOURCES);
    const earlier = events.length > 0 && chance.happens(0.3) ? chance.pick(events.slice(-50)) : undefined;
    const backup = chance.happens(0.5) ? derived(chance, instances) : named(number, earlier, chance, instances);
    const before = backup.name === undefined ? undefined : lastOf.get(identity(backup));
    const event: PlannedEvent = {
      number,
      source,
      id: identify(number, source, backup),
      backup,
      when: before
        ? { after: before.number, by: SEPARATION + 1 + distance(chance) }
        : (timeOfRival(earlier, backup, chance) ?? clock),
      ...deliveries(source, before !== undefined, chance),
      roughness: chance.weighted([
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

const SOURCES: readonly Source[] = [
  'webhook',
  'idempotent-request',
  'plain-request',
  'event-bus',
  'async-invoke',
  'invoke-with-id',
  'invoke-with-time',
];

const identity = ({ name, instance_id, description = '' }: Wanted): string =>
  JSON.stringify([name, instance_id, description]);

const describe = (chance: Chance): { description?: string } =>
  chance.weighted([
    [3, {}],
    [1, { description: '' }],
    [3, { description: 'nightly' }],
    [1, { description: 'Größe ✓ 😀' }],
  ]);

function derived(chance: Chance, instances: Conditions['instances']): Wanted {
  return {
    instance_id: chance.pick(instances).id,
    name_prefix: chance.pick(['nightly', 'n', 'before-migration_of-orders_0000000']),
    ...describe(chance),
  };
}

/** A name that the caller gives: a new one, or that of an earlier event, be it for the same backup or for another one. */
function named(
  number: number,
  earlier: PlannedEvent | undefined,
  chance: Chance,
  instances: Conditions['instances'],
): Wanted {
  const name = earlier?.backup.name;
  if (earlier === undefined || name === undefined)
    return { instance_id: chance.pick(instances).id, name: `Backup_${number}`, ...describe(chance) };
  return chance.weighted<() => Wanted>([
    [2, () => earlier.backup],
    [1, () => ({ ...earlier.backup, description: `rival ${number}` })],
    [1, () => ({ ...earlier.backup, instance_id: chance.pick(instances).id })],
    [1, () => ({ ...earlier.backup, name: name.toUpperCase() })],
  ])();
}

/** Whoever asks for another backup under the same name often does so at the same time. */
const timeOfRival = (earlier: PlannedEvent | undefined, { name }: Wanted, chance: Chance): number | undefined =>
  name !== undefined && name === earlier?.backup.name && typeof earlier.when === 'number' && chance.happens(0.5)
    ? Math.max(0, earlier.when + chance.between(-SECOND, 3 * SECOND))
    : undefined;

/** Ids that are free again for another kind or another instance, where they must not matter. */
function identifiers(chance: Chance): (number: number, source: Source, backup: Wanted) => string {
  const used = new Set<string>();
  return (number, source, { instance_id }) => {
    const shared = `shared-${chance.whole(0, 30)}`;
    const key = JSON.stringify([kindOf(source), shared, instance_id]);
    if (!chance.happens(0.15) || used.has(key)) return `event-${number}`;
    used.add(key);
    return shared;
  };
}

export const kindOf = (source: Source): 'http' | 'event-bus' | 'invoke' => {
  if (source === 'event-bus') return source;
  return source.includes('invoke') ? 'invoke' : 'http';
};

const distance = (chance: Chance): number =>
  chance.weighted([
    [3, chance.between(0, 3 * SECOND)],
    [2, chance.between(0, 5 * MINUTE)],
    [1, chance.between(0, 20 * HOUR)],
  ]);

function deliveries(source: Source, isSequel: boolean, chance: Chance) {
  const furthest = source === 'event-bus' ? 72 * HOUR : source === 'invoke-with-time' ? 4 * MINUTE : 0;
  const ahead = furthest > 0 && !isSequel && chance.happens(0.2);
  const statedAfter = ahead ? chance.between(0, furthest) : 0;
  const late = source === 'invoke-with-time' && !ahead && chance.happens(0.5);
  const first = chance.between(0, late ? 10 * MINUTE : 3 * SECOND);
  const more = source === 'plain-request' ? 0 : chance.whole(0, 3);
  return {
    statedAfter,
    deliveredAfter: [first, ...Array.from({ length: more }, () => first + redelivery(chance))],
  };
}

/** At the same time, as retries come, or a day later. */
const redelivery = (chance: Chance): number =>
  chance.weighted([
    [4, chance.between(0, 1500)],
    [2, chance.between(2 * SECOND, 90 * SECOND)],
    [2, chance.between(MINUTE, 2 * HOUR)],
    [1, chance.between(20 * HOUR, 23.5 * HOUR)],
    [0.2, chance.between(24.5 * HOUR, 30 * HOUR)],
  ]);
