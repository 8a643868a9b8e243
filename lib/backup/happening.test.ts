import { describe, expect, it } from 'vitest';
import type { ListedBackup } from '../dds/inventory.ts';
import { happening } from './happening.ts';
import type { Milestone } from './milestones.ts';

const AT = Date.parse('2026-03-01T12:00:00Z');
const KINDS: readonly Milestone['kind'][] = ['completed', 'failed', 'unknown', 'stuck'];

const WHOLE: ListedBackup = {
  id: 'b1',
  name: 'nightly',
  instance_id: 'i1',
  instance_name: 'orders',
  type: 'auto',
  begin_time: '2026-03-01 11:00:00',
  end_time: '2026-03-01 12:00:00',
  status: 'COMPLETED',
  size: 2803,
};
/** No more than a list of backups must hold. */
const BARE: ListedBackup = { id: 'b1', name: 'nightly', instance_id: 'i1', begin_time: '2026-03-01 11:00:00' };

describe('what is told of a backup', () => {
  it.each(KINDS)('that is %s has an id and the time of that', (kind) => {
    expect(happening(WHOLE, { kind, at: AT }, 12)).toMatchObject({
      kind,
      time: new Date(AT),
      detail: { id: `b1-${kind}`, backup_id: 'b1' },
    });
  });

  it('that is stuck is nothing of its end, which another run may or may not know', () => {
    expect(happening(WHOLE, { kind: 'stuck', at: AT }, 12).detail).toStrictEqual({
      id: 'b1-stuck',
      backup_id: 'b1',
      name: 'nightly',
      instance_id: 'i1',
      instance_name: 'orders',
      type: 'Auto',
      began_at: '2026-03-01T11:00:00Z',
      limit_hours: 12,
    });
  });

  it.each(KINDS.filter((kind) => kind !== 'stuck'))('that is %s leaves out what DDS does not tell', (kind) => {
    expect(happening(BARE, { kind, at: AT }, 12).detail).toStrictEqual({
      id: `b1-${kind}`,
      backup_id: 'b1',
      name: 'nightly',
      instance_id: 'i1',
      began_at: '2026-03-01T11:00:00Z',
    });
  });

  it.each([
    { instance_name: 7, type: 'Incremental', size: '2803' },
    { instance_name: null, type: null, size: null },
  ])('leaves out what is none of it: %j', (odd) => {
    const { detail } = happening({ ...BARE, ...odd }, { kind: 'completed', at: AT }, 12);
    expect(detail).toStrictEqual(happening(BARE, { kind: 'completed', at: AT }, 12).detail);
  });
});
