import { expect, it } from 'vitest';
import type { ListedBackup } from '../dds/types.ts';
import { suspiciousSizes } from './size.ts';

/** Backups that completed one after the other, of these sizes; undefined where DDS gives none. */
const history = (sizes: readonly (number | undefined)[], more: Partial<ListedBackup> = {}): ListedBackup[] =>
  sizes.map((sizeKb, i) => ({
    id: `${more.instance_id ?? 'a'}-${i}`,
    name: `backup-${i}`,
    instance_id: 'a',
    status: 'COMPLETED',
    beganAt: i * 1000,
    description: '',
    verbatim: {},
    ...(sizeKb !== undefined && { sizeKb }),
    ...more,
  }));

it.each<[string, readonly (number | undefined)[], readonly number[]]>([
  ['no backup', [], []],
  ['the first one', [1], []],
  ['the first one, of 0 bytes', [0], [0]],
  ['all of 0 bytes', [0, 0, 0], [0, 1, 2]],
  ['under a tenth of the one before', [1000, 99], [1]],
  ['a tenth of the one before', [1000, 100], []],
  ['under a tenth of the median of five', [10, 10, 1000, 1000, 1000, 99], [5]],
  ['a small one among the five', [10, 10, 10, 1000, 1000, 1], []],
  ['the median of four is the middle of two', [100, 200, 1000, 1000, 59], [4]],
  ['a sixth before does not count', [1, 1, 1, 1000, 1000, 1000, 99], [6]],
  ['the size stays small → usual after three', [1000, 1000, 1000, 1000, 1000, 50, 50, 50, 50], [5, 6, 7]],
  ['a size that DDS does not give', [1000, undefined, 99], [2]],
])('%s: sizes %j → suspicious: %j', (_, sizes, expected) => {
  const backups = history(sizes);
  const ids = expected.map((i) => `a-${i}`);
  expect([...suspiciousSizes(backups)].sort()).toEqual(ids);
  expect([...suspiciousSizes(backups.toReversed())].sort()).toEqual(ids);
});

it('backup that did not complete → neither suspicious nor compared with', () => {
  const failed = history([0, 0, 0], { status: 'FAILED', instance_id: 'a' }).map((one) => ({
    ...one,
    id: `x${one.id}`,
  }));
  expect([...suspiciousSizes([...failed, ...history([undefined, undefined, undefined, 50])])]).toEqual([]);
});

it('two instances → each compared with its own', () => {
  const backups = [...history([1000, 1000]), ...history([10, 10], { instance_id: 'b' })];
  expect([...suspiciousSizes(backups)]).toEqual([]);
});
