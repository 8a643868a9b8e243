import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListedInstance } from '../dds/types.ts';
import { DAY, HOUR, MINUTE } from '../time.ts';
import { type AgeLimits, backupAges } from './age.ts';
import type { BegunBackup } from './lifecycle.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');
const HORIZON = 2 * DAY;
const LIMITS: AgeLimits = { maxBackupAgeHours: 26, overrides: new Map(), backupAgeOf: 'any' };

const instance = (id: string, createdAt?: number): ListedInstance => ({
  id,
  tags: new Map(),
  ...(createdAt !== undefined && { createdAt }),
});
const ORDERS: ListedInstance = { ...instance('orders-1', Date.parse('2026-01-01T00:00:00Z')), name: 'orders' };

/** @param endedAt milliseconds since 1970; undefined where DDS gives none */
const backup = (id: string, endedAt: number | undefined, more: Partial<BegunBackup> = {}): BegunBackup => ({
  id,
  name: id,
  instance_id: ORDERS.id,
  status: 'COMPLETED',
  beganAt: NOON - 36 * HOUR,
  ...(endedAt !== undefined && { endedAt }),
  description: '',
  verbatim: {},
  ...more,
});

/** All that is known of these instances is these backups. */
function agesWith(
  instances: readonly ListedInstance[],
  backups: readonly BegunBackup[],
  limits: Partial<AgeLimits> = {},
) {
  const ages = backupAges(new Map(instances.map((one) => [one.id, one])), { ...LIMITS, ...limits });
  for (const one of backups) ages.add(one);
  for (const { id } of ages.unknown()) ages.addNone(id);
  return ages;
}

const agesOf = (...args: Parameters<typeof agesWith>) => agesWith(...args).at(NOON, HORIZON);

describe('the backup age of an instance', () => {
  it('several backups → since the end of the last that COMPLETED', () => {
    const backups = [
      backup('last', NOON - 2.5 * HOUR),
      backup('failed', NOON - HOUR, { status: 'FAILED' }),
      backup('deleted', NOON - HOUR, { status: 'DISABLED' }),
      backup('building', undefined, { status: 'BUILDING' }),
      backup('earlier', NOON - 3 * HOUR),
    ];
    expect(agesOf([ORDERS], backups)).toStrictEqual([
      { instance_id: 'orders-1', instance_name: 'orders', hours: 2.5, limit_hours: 26, last_backup_id: 'last' },
    ]);
  });

  it.each([
    ['a minute ago → rounded to a hundredth', NOON - MINUTE, 0.02],
    ['after the time asked for → 0', NOON + 1000, 0],
    ['not given → since its begin', undefined, 36],
    ['before its begin → since its begin', NOON - 37 * HOUR, 36],
  ])('end %s', (_, endedAt, hours) => {
    expect(agesOf([ORDERS], [backup('b', endedAt)])).toMatchObject([{ hours, last_backup_id: 'b' }]);
  });

  it.each([
    ['two hours ago → since then', NOON - 2 * HOUR, 2],
    ['in the future → 0', NOON + HOUR, 0],
  ])('no backup, created %s', (_, createdAt, hours) => {
    expect(agesOf([instance('a', createdAt)], [])).toStrictEqual([{ instance_id: 'a', hours, limit_hours: 26 }]);
  });

  it('neither backup nor time of creation → unknown: no hours', () => {
    expect(agesOf([instance('a')], [])).toStrictEqual([{ instance_id: 'a', limit_hours: 26 }]);
  });

  it('not asked for yet → at least the horizon', () => {
    const ages = backupAges(new Map([[ORDERS.id, ORDERS]]), LIMITS);
    expect(ages.unknown()).toEqual([ORDERS]);
    expect(ages.at(NOON, HORIZON)).toStrictEqual([
      { instance_id: 'orders-1', instance_name: 'orders', hours: 48, at_least: true, limit_hours: 26 },
    ]);
  });

  it('known to have no backup, then one is found → that', () => {
    const ages = agesWith([ORDERS], []);
    ages.add(backup('b', NOON - HOUR));
    ages.addNone(ORDERS.id);
    expect(ages.unknown()).toEqual([]);
    expect(ages.at(NOON, HORIZON)).toMatchObject([{ hours: 1, last_backup_id: 'b' }]);
  });

  it('instance that is gone → its backups do not count', () => {
    expect(agesOf([ORDERS], [backup('b', NOON - HOUR, { instance_id: 'gone' })])).toHaveLength(1);
    expect(agesOf([], [backup('b', NOON - HOUR)])).toEqual([]);
  });

  it.each([
    ['any', 'auto'],
    ['manual', 'manual'],
  ] as const)('%s backups count → the last is the %s one', (backupAgeOf, last_backup_id) => {
    const backups = [
      backup('auto', NOON - HOUR, { type: 'Auto' }),
      backup('untyped', NOON - 2 * HOUR),
      backup('manual', NOON - 3 * HOUR, { type: 'Manual' }),
    ];
    expect(agesOf([ORDERS], backups, { backupAgeOf })).toMatchObject([{ last_backup_id }]);
  });

  it.each<[string, ReadonlyMap<string, number | 'off'>, object]>([
    ['none', new Map(), { limit_hours: 26 }],
    ['another limit', new Map([['orders-1', 48]]), { limit_hours: 48 }],
    ['off', new Map([['orders-1', 'off']]), {}],
  ])('override: %s → its limit', (_, overrides, expected) => {
    const [age] = agesOf([ORDERS], [backup('b', NOON - HOUR)], { overrides });
    expect(age).toStrictEqual({
      instance_id: 'orders-1',
      instance_name: 'orders',
      hours: 1,
      last_backup_id: 'b',
      ...expected,
    });
  });

  it('several instances → the unknown ones first, then the greatest age', () => {
    const instances = [
      instance('new', NOON - HOUR),
      instance('unknown-1'),
      instance('old', NOON - 50 * HOUR),
      instance('unknown-2'),
    ];
    const ids = agesOf(instances, []).map(({ instance_id }) => instance_id);
    expect(ids).toEqual(['unknown-1', 'unknown-2', 'old', 'new']);
  });

  it('backups in any order, each as often as it comes → the same ages, the greatest first', () => {
    const instances = ['a', 'b', 'c'].map((id) => ({ ...ORDERS, id }));
    const backups = fc.array(
      fc
        .record({ instance_id: fc.constantFrom('a', 'b', 'c', 'gone'), hour: fc.integer({ min: 0, max: 23 }) })
        .map(({ instance_id, hour }) => backup(`${instance_id}-${hour}`, NOON - hour * HOUR, { instance_id })),
    );
    fc.assert(
      fc.property(backups, (some) => {
        const found = agesOf(instances, some);
        expect(agesOf(instances, [...some.toReversed(), ...some])).toEqual(found);
        const hours = found.map((age) => age.hours ?? Number.NaN);
        expect(hours).toEqual(hours.toSorted((a, b) => b - a));
        for (const age of found) {
          const ends = some.flatMap(({ instance_id, endedAt = 0 }) => (instance_id === age.instance_id ? endedAt : []));
          const last = ends.length > 0 ? Math.max(...ends) : (ORDERS.createdAt ?? 0);
          expect(age.hours).toBeCloseTo((NOON - last) / HOUR, 2);
        }
      }),
    );
  });
});

describe('overdueMoments', () => {
  const WEEK_AGO = NOON - 7 * DAY;
  /** Windows of five minutes, one after the other, for a week up to NOON. */
  const windows = Array.from({ length: (7 * DAY) / (5 * MINUTE) }, (_, i) => ({
    after: WEEK_AGO + i * 5 * MINUTE,
    until: WEEK_AGO + (i + 1) * 5 * MINUTE,
  }));
  const momentsOf = (ages: ReturnType<typeof backupAges>, one = ORDERS) =>
    windows.flatMap((window) => ages.overdueMoments(one, window));

  it('any last backup → once when the limit is passed, then every 24 hours', () => {
    fc.assert(
      fc.property(fc.integer({ min: -10 * 24 * 60, max: 0 }), fc.integer({ min: 1, max: 60 }), (minutes, limit) => {
        const end = NOON + minutes * MINUTE;
        const ages = agesWith([ORDERS], [backup('b', end, { beganAt: end - MINUTE })], { maxBackupAgeHours: limit });
        const expected = Array.from({ length: 12 }, (_, day) => end + limit * HOUR + day * DAY);
        expect(momentsOf(ages)).toEqual(expected.filter((moment) => moment > WEEK_AGO && moment <= NOON));
      }),
      { numRuns: 30 },
    );
  });

  it('no backup → counted from its creation', () => {
    const ages = agesWith([instance('a', NOON - 30 * HOUR)], []);
    expect(momentsOf(ages, instance('a', NOON - 30 * HOUR))).toEqual([NOON - 4 * HOUR]);
  });

  it.each<[string, ReturnType<typeof backupAges>, ListedInstance]>([
    ['age that does not count', agesWith([ORDERS], [], { overrides: new Map([[ORDERS.id, 'off']]) }), ORDERS],
    ['neither backup nor time of creation', agesWith([instance('a')], []), instance('a')],
    ['not asked for yet', backupAges(new Map([[ORDERS.id, ORDERS]]), LIMITS), ORDERS],
  ])('%s → none', (_, ages, one) => {
    expect(momentsOf(ages, one)).toEqual([]);
  });

  it('window of several days → every moment in it', () => {
    const ages = agesWith([ORDERS], [backup('b', WEEK_AGO, { beganAt: WEEK_AGO })], { maxBackupAgeHours: 1 });
    const moments = ages.overdueMoments(ORDERS, { after: WEEK_AGO + HOUR, until: WEEK_AGO + 3 * DAY + HOUR });
    expect(moments).toEqual([1, 2, 3].map((days) => WEEK_AGO + days * DAY + HOUR));
  });
});
