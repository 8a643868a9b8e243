import { describe, expect, it } from 'vitest';
import { refusals } from '../../emulator/dds/refusals.ts';
import { directDds } from '../../test/simulation/direct-dds.ts';
import { createWorld, instanceOf } from '../../test/simulation/world.ts';
import type { ListedInstance } from '../dds/types.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts';
import type { BackupAge } from './age.ts';
import type { BegunBackup } from './lifecycle.ts';
import { isReportDue, reportOf } from './report.ts';

const NOW = Date.parse('2026-03-02T06:00:00Z');

describe('isReportDue', () => {
  it.each([
    ['2026-03-02T05:55:00Z', 360, false],
    ['2026-03-02T05:59:59Z', 360, false],
    ['2026-03-02T06:00:00Z', 360, true],
    ['2026-03-02T06:04:59Z', 360, true],
    ['2026-03-02T06:05:00Z', 360, false],
    ['2026-03-02T00:02:00Z', 0, true],
    ['2026-03-02T23:59:00Z', 1439, true],
    ['2026-03-03T00:03:59Z', 1439, true],
    ['2026-03-03T00:04:00Z', 1439, false],
  ])('run of %s, due at minute %i → %s', (time, minute, expected) => {
    expect(isReportDue(new Date(time), 5 * MINUTE, minute)).toBe(expected);
  });
});

const backup = (id: string, endedHoursAgo: number, more: Partial<BegunBackup> = {}): BegunBackup => ({
  id,
  name: `name-${id}`,
  instance_id: 'a',
  instance_name: 'orders',
  type: 'Manual',
  status: 'COMPLETED',
  beganAt: NOW - (endedHoursAgo + 1) * HOUR,
  endedAt: NOW - endedHoursAgo * HOUR,
  sizeKb: 1000,
  description: '',
  verbatim: {},
  ...more,
});

const age = (more: Partial<BackupAge> = {}): BackupAge => ({
  instance_id: 'a',
  instance_name: 'orders',
  hours: 3,
  limit_hours: 26,
  last_backup_id: 'b',
  ...more,
});

/** @param stored manual backups of DDS's list, by size; `isDown`: the list cannot be read */
async function report(
  ages: readonly BackupAge[],
  recent: readonly BegunBackup[],
  { stored = [], isDown = false }: { readonly stored?: readonly number[]; readonly isDown?: boolean } = {},
) {
  const now = () => new Date(NOW);
  const world = createWorld({ now, instances: [instanceOf('a', 0), instanceOf('b', 0)] });
  world.state.seedBackups(
    stored.map((size, i) => ({
      name: `stored-${i}`,
      instance_id: 'a',
      type: 'Manual',
      begin: new Date(NOW - (i + 10) * DAY),
      size,
    })),
  );
  const dds = directDds({
    ...world,
    timing: { now, wait: async () => {}, random: () => 0 },
    carry: async (_, perform) => (isDown ? refusals.permissionDenied : perform()),
  });
  const instances: ListedInstance[] = [
    { id: 'a', name: 'orders', status: 'normal', tags: new Map() },
    { id: 'b', tags: new Map() },
  ];
  return reportOf({
    time: now(),
    at: NOW,
    ages,
    instances,
    recent,
    dds,
    budget: { timeLeft: () => 10 * SECOND },
  });
}

describe('report', () => {
  it('→ for each instance what DDS and the last day say of it, in the order of the ages', async () => {
    const recent = [
      backup('b', 3, { sizeKb: 2048 }),
      backup('c', 23),
      backup('d', 25),
      backup('e', 2, { status: 'FAILED' }),
    ];
    const { day, instances } = await report([age(), age({ instance_id: 'b', last_backup_id: 'x' })], recent, {
      stored: [500, 700],
    });
    expect(day).toBe('2026-03-02');
    expect(instances).toEqual([
      {
        ...age(),
        status: 'normal',
        last_size_kb: 2048,
        completed_24h: 2,
        failed_24h: 1,
        manual_backups: 2,
        manual_size_kb: 1200,
      },
      {
        ...age({ instance_id: 'b', last_backup_id: 'x' }),
        completed_24h: 0,
        failed_24h: 0,
        manual_backups: 0,
        manual_size_kb: 0,
      },
    ]);
  });

  it('manual backups cannot all be read → the report without their totals', async () => {
    const { instances, summary } = await report([age()], [backup('b', 3)], { isDown: true });
    expect(instances[0]).not.toHaveProperty('manual_backups');
    expect(summary).toContain('? manual kept, size unknown');
  });

  it.each([
    ['47 hours ago', 47, undefined, true],
    ['49 hours ago', 49, undefined, false],
    ['at an unknown time, begun 47 hours ago', 46, { endedAt: undefined }, true],
    ['before it began, begun 47 hours ago', 46, { endedAt: 0 }, true],
  ])('FAILED %s → listed: %s', async (_, hours, more, isListed) => {
    const { endedAt, ...failed } = backup('f', hours, { status: 'FAILED' });
    const one = more === undefined ? { ...failed, ...(endedAt !== undefined && { endedAt }) } : failed;
    const { failed: listed } = await report([age()], [more?.endedAt === 0 ? { ...one, endedAt: 0 } : one]);
    expect(listed.map(({ backup_id }) => backup_id)).toEqual(isListed ? ['f'] : []);
  });

  it.each([
    ['those of the last days', [backup('p', 30), backup('q', 40)], []],
    ['those of the last weeks', [], [1000, 1000, 1000, 1000, 1000]],
  ])('size under a tenth of %s → suspicious', async (_, before, stored) => {
    const small = backup('s', 3, { sizeKb: 99 });
    const { suspicious, summary } = await report([age()], [...before, small], { stored });
    expect(suspicious).toEqual([
      {
        backup_id: 's',
        name: 'name-s',
        instance_id: 'a',
        instance_name: 'orders',
        began_at: '2026-03-02T02:00:00Z',
        size_kb: 99,
      },
    ]);
    expect(summary).toContain('Suspicious size:\n  orders (a): name-s, 99 kB');
  });

  it('suspicious size of the day before → not listed again', async () => {
    expect((await report([age()], [backup('s', 30, { sizeKb: 0 })])).suspicious).toEqual([]);
  });
});

describe('report: summary', () => {
  it('all is well → one line, and the instances', async () => {
    const { summary } = await report([age()], [backup('b', 3, { sizeKb: 3 * 1024 ** 2 })], { stored: [1024] });
    expect(summary).toBe(
      [
        'DDS backups, 2026-03-02: 1 instances, 0 overdue, backups failed in 48 hours: 0.',
        '',
        'All instances:',
        '  orders (a): last backup 3.0 h ago, 3.0 GB; 1 completed and 0 failed in 24 h; 1 manual kept, 1.0 MB; normal',
      ].join('\n'),
    );
  });

  it.each<[string, Partial<BackupAge>, string]>([
    ['never one, age of the instance', { hours: 100 }, 'orders (a): no completed backup, created 100.0 h ago; '],
    ['never one, no age', {}, 'orders (a): no completed backup; '],
    ['one long ago', { hours: 48, at_least: true }, 'orders (a): last backup at least 48.0 h ago, size unknown; '],
  ])('last backup: %s → said so', async (_, more, text) => {
    const { hours: _hours, last_backup_id: _id, ...rest } = age();
    expect((await report([{ ...rest, ...more }], [])).summary).toContain(`  ${text}`);
  });

  it.each<[string, BackupAge, string]>([
    ['overdue', age({ hours: 26.01 }), 'orders (a): 26.0 h, at most 26 h allowed'],
    ['unknown', (({ hours: _, ...rest }) => rest)(age()), 'orders (a): unknown, at most 26 h allowed'],
    ['not asked for', age({ hours: 48, at_least: true }), 'orders (a): at least 48.0 h, at most 26 h allowed'],
    [
      'without a name',
      (({ instance_name: _, ...rest }) => rest)(age({ hours: 30 })),
      'a: 30.0 h, at most 26 h allowed',
    ],
  ])('age %s → named', async (_, one, line) => {
    const { summary } = await report([one], []);
    expect(summary).toContain(', 1 overdue,');
    expect(summary).toContain(`\n\nOverdue:\n  ${line}\n`);
  });

  it.each([
    ['at the limit', age({ hours: 26 })],
    ['without a limit', (({ limit_hours: _, ...rest }) => rest)(age({ hours: 999 }))],
  ])('age %s → not overdue', async (_, one) => {
    expect((await report([one], [])).summary).toContain(', 0 overdue,');
  });

  it.each([
    [0, '0 kB'],
    [1023, '1023 kB'],
    [1024, '1.0 MB'],
    [1536, '1.5 MB'],
    [1024 ** 2, '1.0 GB'],
    [1024 ** 3, '1.0 TB'],
    [1024 ** 4, '1024.0 TB'],
  ])('last size %i kB → %s', async (sizeKb, text) => {
    expect((await report([age()], [backup('b', 3, { sizeKb })])).summary).toContain(`3.0 h ago, ${text};`);
  });

  it('250 failed → the first hundred, and how many more', async () => {
    const failed = Array.from({ length: 250 }, (_, i) => backup(`f${i}`, 5, { status: 'FAILED' }));
    const { summary, failed: all } = await report([age()], failed);
    expect(all).toHaveLength(250);
    expect(summary).toContain('backups failed in 48 hours: 250.');
    expect(summary.match(/^ {2}orders \(a\): name-f/gm)).toHaveLength(100);
    expect(summary).toContain('\n  and 150 more\n');
  });
});
