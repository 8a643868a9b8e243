import { describe, expect, it } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from '../emulator.ts';
import type { Backup, SeededBackup } from '../records.ts';
import { refusals } from '../refusals.ts';
import type { Query } from '../request-target.ts';
import { DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../seed.ts';
import { call } from '../signed-call.ts';

const at = (time: string): Date => new Date(`2026-03-01T${time}Z`);
const backups: readonly SeededBackup[] = [
  { name: 'manual-10', instance_id: DEMO_INSTANCE.id, begin: at('10:00:00.500'), type: 'Manual' },
  { name: 'auto-08', instance_id: DEMO_INSTANCE.id, begin: at('08:00:00.000'), type: 'auto' },
  {
    name: 'other-09',
    instance_id: DEMO_OTHER_INSTANCE.id,
    begin: at('09:00:00.000'),
    type: 'Manual',
    outcome: 'FAILED',
  },
];
const start = (options: EmulatorOptions = {}): Promise<Emulator> =>
  startEmulator({ clock: () => at('12:00:00'), backups, ...options });

interface Listing {
  readonly backups: readonly Backup[];
  readonly total_count: number;
}
async function list(emulator: Emulator, query: Query = {}): Promise<Listing> {
  const { status, text } = await call(emulator, { query });
  expect(status).toBe(200);
  return JSON.parse(text);
}
const names = async (emulator: Emulator, query: Query = {}): Promise<string[]> =>
  (await list(emulator, query)).backups.map(({ name }) => name);
const create = (emulator: Emulator, name: string, instance_id = DEMO_INSTANCE.id) =>
  call(emulator, { method: 'POST', body: { backup: { instance_id, name } } });

describe('GET /backups', () => {
  it('no filter → all of them, newest first, in the form of the sample', async () => {
    await using emulator = await start();
    const { backups: listed, total_count } = await list(emulator);
    expect(total_count).toBe(3);
    expect(listed.map(({ name }) => name)).toEqual(['manual-10', 'other-09', 'auto-08']);
    expect(listed[1]).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}br02$/),
      name: 'other-09',
      instance_id: DEMO_OTHER_INSTANCE.id,
      instance_name: 'catalogue',
      datastore: { type: 'DDS-Community', version: '4.4' },
      type: 'Manual',
      begin_time: '2026-03-01 09:00:00',
      end_time: '2026-03-01 09:01:00',
      status: 'FAILED',
      size: 2803,
      description: '',
    });
    expect(emulator.backups).toEqual(listed);
  });

  it('several of one moment → the later first', async () => {
    await using emulator = await start({ backups: [], backupMillis: 0 });
    for (const name of ['first', 'second', 'third']) await create(emulator, name);
    expect(await names(emulator)).toEqual(['third', 'second', 'first']);
  });

  const filters: [Query, string[]][] = [
    [{ instance_id: DEMO_INSTANCE.id }, ['manual-10', 'auto-08']],
    [{ instance_id: 'unknown' }, []],
    [{ backup_type: 'Manual' }, ['manual-10', 'other-09']],
    [{ backup_type: 'Auto' }, ['auto-08']],
    [{ mode: 'Sharding' }, ['other-09']],
    [{ mode: 'Single' }, []],
    [{ instance_id: DEMO_INSTANCE.id, backup_type: 'Manual' }, ['manual-10']],
    [{ begin_time: '2026-03-01 08:00:00', end_time: '2026-03-01 09:00:00' }, ['other-09', 'auto-08']],
    [{ begin_time: '2026-03-01 08:00:01', end_time: '2026-03-01 08:59:59' }, []],
    [{ begin_time: '2026-03-01 10:00:00', end_time: '2026-03-01 10:00:00' }, ['manual-10']],
    [{ instance_id: '', begin_time: '', end_time: '', limit: '' }, ['manual-10', 'other-09', 'auto-08']],
    [{ name: 'auto-08' }, ['manual-10', 'other-09', 'auto-08']],
  ];
  it.each(filters)('filter %j → %j', async (query, expected) => {
    await using emulator = await start();
    expect(await names(emulator, query)).toEqual(expected);
  });

  it('filter by id → that one', async () => {
    await using emulator = await start();
    const { backups: listed } = await list(emulator);
    expect(await names(emulator, { backup_id: listed[2]?.id ?? '' })).toEqual(['auto-08']);
  });

  it('pages → each its items, and the count of all', async () => {
    await using emulator = await start();
    expect(await names(emulator, { limit: '2' })).toEqual(['manual-10', 'other-09']);
    expect(await list(emulator, { limit: '2', offset: '2' })).toMatchObject({
      backups: [{ name: 'auto-08' }],
      total_count: 3,
    });
    expect(await list(emulator, { offset: '3' })).toEqual({ backups: [], total_count: 3 });
  });

  it('101 backups, no limit → a page of 100', async () => {
    const series = {
      name_prefix: 'auto',
      count: 101,
      everyMillis: 0,
      instance_id: DEMO_INSTANCE.id,
      begin: at('08:00:00'),
    };
    await using emulator = await start({ backups: [] });
    emulator.control.addBackups({ series });
    const { backups: listed, total_count } = await list(emulator);
    expect([listed.length, total_count]).toEqual([100, 101]);
  });

  it('an instance that is gone → its manual backups', async () => {
    await using emulator = await start();
    emulator.control.removeInstance({ id: DEMO_INSTANCE.id });
    expect(await names(emulator, { instance_id: DEMO_INSTANCE.id })).toEqual(['manual-10']);
  });

  const refused: [Query, keyof typeof refusals][] = [
    [{ limit: '0' }, 'invalidLimit'],
    [{ limit: '101' }, 'invalidLimit'],
    [{ limit: 'ten' }, 'invalidLimit'],
    [{ limit: '1.5' }, 'invalidLimit'],
    [{ limit: ['1', '2'] }, 'parameterError'],
    [{ offset: '-1' }, 'invalidOffset'],
    [{ backup_type: 'manual' }, 'parameterError'],
    [{ mode: 'replica' }, 'invalidMode'],
    [{ begin_time: '2026-03-01 08:00:00' }, 'parameterError'],
    [{ end_time: '2026-03-01 08:00:00' }, 'parameterError'],
    [{ begin_time: '2026-03-01T08:00:00Z', end_time: '2026-03-01 08:00:00' }, 'parameterError'],
    [{ begin_time: '2026-03-01+08:00:00', end_time: '2026-03-01+08:00:00' }, 'parameterError'],
    [{ begin_time: '2026-02-30 08:00:00', end_time: '2026-03-01 08:00:00' }, 'parameterError'],
    [{ begin_time: '2026-03-02 08:00:00', end_time: '2026-03-01 08:00:00' }, 'parameterError'],
  ];
  it.each(refused)('%j → 400 %s', async (query, refusal) => {
    await using emulator = await start();
    const { error_code, error_msg } = refusals[refusal];
    const { status, body } = await call(emulator, { query });
    expect([status, body]).toEqual([400, { error_code, error_msg }]);
  });
});

describe('GET /backups, server that pages otherwise', () => {
  const all = ['manual-10', 'other-09', 'auto-08'];
  it.each([
    [{ pageCap: 2 }, { limit: '3' }, all.slice(0, 2), 3],
    [{ pageCap: 2 }, { limit: '3', offset: '2' }, all.slice(2), 3],
    [{ pageCap: 2 }, { limit: '1' }, all.slice(0, 1), 3],
    [{ ignoreOffset: true }, { limit: '2', offset: '2' }, all.slice(0, 2), 3],
    [{ totalCount: 'zero' }, {}, all, 0],
    [{ totalCount: 'page' }, { limit: '2' }, all.slice(0, 2), 2],
    [{ totalCount: 'one too high' }, {}, all, 4],
  ] as const)('%j, %j → %j of %i', async (settings, query, expected, total_count) => {
    await using emulator = await start();
    emulator.control.changeSettings(settings);
    const listing = await list(emulator, query);
    expect([listing.backups.map(({ name }) => name), listing.total_count]).toEqual([expected, total_count]);
  });
});

describe('GET /backups, list that lags by 10 s', () => {
  const lag = (): Promise<Emulator> => start({ listLagMillis: 10_000, backupMillis: 60_000, deletionMillis: 5000 });

  it('created → its name is taken at once, and listed 10 s later', async () => {
    await using emulator = await lag();
    await create(emulator, 'new-1');
    expect((await create(emulator, 'new-1')).body).toMatchObject({ error_code: 'DBS.201201' });
    emulator.control.advance({ millis: 9999 });
    expect(await list(emulator)).toMatchObject({ backups: [{ name: 'manual-10' }, {}, {}], total_count: 3 });
    emulator.control.advance({ millis: 1 });
    expect(await list(emulator)).toMatchObject({ backups: [{ name: 'new-1' }, {}, {}, {}], total_count: 4 });
  });

  it('several created, some listed → every page and count is right', async () => {
    await using emulator = await lag();
    emulator.control.changeSettings({ backupMillis: 0 });
    for (const name of ['new-1', 'new-2', 'new-3']) {
      await create(emulator, name);
      emulator.control.advance({ millis: 4000 });
    }
    const pages = [];
    for (const offset of [0, 1, 2, 3, 4]) pages.push(await names(emulator, { limit: '1', offset: String(offset) }));
    expect(pages).toEqual([['new-1'], ['manual-10'], ['other-09'], ['auto-08'], []]);
    expect(await list(emulator, { instance_id: DEMO_INSTANCE.id })).toMatchObject({ total_count: 3 });
  });

  it('ended → the list says so 10 s later', async () => {
    await using emulator = await lag();
    await create(emulator, 'new-1');
    emulator.control.advance({ millis: 69_999 });
    expect(emulator.backups[0]?.status).toBe('COMPLETED');
    expect((await list(emulator)).backups[0]?.status).toBe('BUILDING');
    emulator.control.advance({ millis: 1 });
    expect((await list(emulator)).backups[0]?.status).toBe('COMPLETED');
  });

  it('deleted → its name is free once it is gone, and the list shows it for 10 s more', async () => {
    await using emulator = await lag();
    await call(emulator, { method: 'DELETE', path: `backups/${emulator.backups[0]?.id}` });
    const listed = async () => (await list(emulator)).backups.find(({ name }) => name === 'manual-10')?.status;
    emulator.control.advance({ millis: 9999 });
    expect([emulator.backups.length, await listed()]).toEqual([2, 'COMPLETED']);
    emulator.control.advance({ millis: 1 });
    expect(await listed()).toBe('DISABLED');
    emulator.control.advance({ millis: 5000 });
    expect(await listed()).toBeUndefined();
    expect((await create(emulator, 'manual-10')).status).toBe(200);
  });
});

describe('GET /backups, how records are written', () => {
  it.each([
    ['space', '2026-03-01 10:00:00'],
    ['T', '2026-03-01T10:00:00'],
    ['Z', '2026-03-01T10:00:00Z'],
    ['+0000', '2026-03-01T10:00:00+0000'],
    ['fraction', '2026-03-01T10:00:00.500Z'],
    ['null', null],
  ] as const)('time format %s → %s', async (timeFormat, begin_time) => {
    await using emulator = await start({ timeFormat });
    expect((await list(emulator)).backups[0]).toMatchObject({ begin_time });
  });

  it('a BUILDING backup, whatever the format → no end', async () => {
    await using emulator = await start({ timeFormat: 'Z' });
    await create(emulator, 'new-1');
    expect((await list(emulator)).backups[0]).toMatchObject({ status: 'BUILDING', end_time: '' });
  });

  it.each([
    ['upper', 'FAILED'],
    ['lower', 'failed'],
    ['capitalised', 'Failed'],
  ] as const)('statuses in %s case → %s', async (statusCase, status) => {
    await using emulator = await start({ statusCase });
    expect((await list(emulator)).backups[1]).toMatchObject({ status });
  });

  it.each([
    [{ set: { begin_time: null, status: 7 } }, { begin_time: null, status: 7 }],
    [{ set: { size: 0, extra: {} } }, { size: 0, extra: {} }],
    [{ set: { end_time: '' }, omit: ['description'] }, { end_time: '' }],
  ])('override %j → %j', async (override, expected) => {
    await using emulator = await start();
    emulator.control.changeBackups({ where: { name: 'manual-10' }, set: { override } });
    expect((await list(emulator)).backups[0]).toMatchObject(expected);
    emulator.control.changeBackups({ set: { override: null } });
    expect((await list(emulator)).backups).toEqual(emulator.backups);
  });

  it('override that omits members → they are not there', async () => {
    await using emulator = await start();
    emulator.control.changeBackups({ set: { override: { omit: ['end_time', 'description'] } } });
    const members = Object.keys((await list(emulator)).backups[0] ?? {});
    expect(members).toContain('begin_time');
    expect(members).not.toContain('end_time');
    expect(members).not.toContain('description');
  });
});
