import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListedBackup, ListedInstance } from '../dds/inventory.ts';
import { freshnessOf } from './freshness.ts';

const ORDERS = { id: 'orders-1', name: 'orders', created: '2026-01-01T00:00:00' };
const NOON = new Date('2026-03-01T12:00:00Z');

const backup = (id: string, end_time: string, more: Partial<ListedBackup> = {}): ListedBackup => ({
  id,
  name: id,
  instance_id: ORDERS.id,
  begin_time: '2026-02-28 00:00:00',
  end_time,
  status: 'COMPLETED',
  ...more,
});

function fresh(instances: readonly ListedInstance[], backups: readonly ListedBackup[], time = NOON) {
  const freshness = freshnessOf(new Map(instances.map((instance) => [instance.id, instance])));
  for (const one of backups) freshness.add(one);
  return freshness.asOf(time);
}

describe('the freshness of an instance', () => {
  it('is the time since the end of its last backup that completed', () => {
    const backups = [
      backup('last', '2026-03-01 09:30:00'),
      backup('failed', '2026-03-01 11:00:00', { status: 'FAILED' }),
      backup('deleted', '2026-03-01 11:00:00', { status: 'DISABLED' }),
      backup('building', '', { status: 'BUILDING' }),
      backup('earlier', '2026-03-01 09:00:00'),
    ];
    expect(fresh([ORDERS], backups)).toEqual([
      { instance_id: 'orders-1', instance_name: 'orders', hours: 2.5, last_backup_id: 'last' },
    ]);
  });

  it('is told to a hundredth of an hour', () => {
    expect(fresh([ORDERS], [backup('b', '2026-03-01 11:59:00')])).toMatchObject([{ hours: 0.02 }]);
  });

  it('is 0 where the backup ended after the time asked for', () => {
    expect(fresh([ORDERS], [backup('b', '2026-03-01 12:00:01')])).toMatchObject([{ hours: 0, last_backup_id: 'b' }]);
  });

  it('counts from the begin of a backup whose end is not told', () => {
    expect(fresh([ORDERS], [backup('b', '')])).toMatchObject([{ hours: 36, last_backup_id: 'b' }]);
  });

  it('counts from its creation where there was no backup', () => {
    const created = '2026-03-01T10:00:00';
    expect(fresh([{ ...ORDERS, created }], [])).toEqual([
      { instance_id: 'orders-1', instance_name: 'orders', hours: 2 },
    ]);
  });

  it.each([undefined, '', 'yesterday', 5])('is that of ages where it was created %j, never backed up', (created) => {
    const [freshness] = fresh([{ id: 'a', created }], []);
    expect(Object.keys(freshness ?? {})).toEqual(['instance_id', 'hours']);
    expect(freshness?.hours).toBeGreaterThan(50 * 365 * 24);
  });

  it('is not told of an instance that is gone', () => {
    expect(fresh([ORDERS], [backup('b', '2026-03-01 11:00:00', { instance_id: 'gone' })])).toHaveLength(1);
    expect(fresh([], [backup('b', '2026-03-01 11:00:00')])).toEqual([]);
  });

  it('comes least fresh first, and does not depend on the order in which backups come, or how often', () => {
    const instances = ['a', 'b', 'c'].map((id) => ({ ...ORDERS, id }));
    const backups = fc.array(
      fc
        .record({ instance: fc.constantFrom('a', 'b', 'c', 'gone'), hour: fc.integer({ min: 0, max: 23 }) })
        .map(({ instance, hour }) =>
          backup(`${instance}-${hour}`, `2026-02-28 ${String(hour).padStart(2, '0')}:00:00`, {
            instance_id: instance,
          }),
        ),
    );
    fc.assert(
      fc.property(backups, (some) => {
        const found = fresh(instances, some);
        expect(fresh(instances, [...some.toReversed(), ...some])).toEqual(found);
        expect(found.map(({ hours }) => hours)).toEqual(found.map(({ hours }) => hours).toSorted((a, b) => b - a));
        for (const { instance_id, hours } of found) {
          const ends = some.filter((one) => one.instance_id === instance_id).map(({ end_time }) => `${end_time}Z`);
          const last = Math.max(...ends.map((end) => Date.parse(end)), Date.parse(`${ORDERS.created}Z`));
          expect(hours).toBeCloseTo((NOON.getTime() - last) / 3_600_000, 2);
        }
      }),
    );
  });
});
