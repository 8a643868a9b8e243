import { describe, expect, it } from 'vitest';
import type { BackupChange, BackupSelector } from './control.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from './seed.ts';
import { call } from './signed-call.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const series = { name_prefix: 'nightly', count: 3, everyMillis: HOUR, begin: NOW, instance_id: DEMO_INSTANCE.id };
const start = (): Promise<Emulator> => startEmulator({ clock: () => NOW, backupMillis: MINUTE });

async function startWithBackups(): Promise<Emulator> {
  const emulator = await start();
  emulator.control.addBackups({ series: { ...series, type: 'Manual', begin: new Date(NOW.getTime() - HOUR) } });
  return emulator;
}
const names = ({ control }: Emulator, selector: BackupSelector = {}) =>
  control.backups(selector).map(({ name }) => name);

describe('control.addBackups', () => {
  it('a series → named and dated one after the other, listed at once', async () => {
    await using emulator = await start();
    emulator.control.changeSettings({ listLagMillis: HOUR });
    const ids = emulator.control.addBackups({ series });
    expect(emulator.backups.map(({ id, name, begin_time }) => [id, name, begin_time])).toEqual([
      [ids[0], 'nightly-0', '2026-03-01 12:00:00'],
      [ids[1], 'nightly-1', '2026-03-01 11:00:00'],
      [ids[2], 'nightly-2', '2026-03-01 10:00:00'],
    ]);
    expect((await call(emulator)).body).toMatchObject({ total_count: 3 });
  });

  it('one by one, times as text → so listed', async () => {
    await using emulator = await start();
    const one = {
      name: 'one',
      instance_id: DEMO_INSTANCE.id,
      begin: '2026-02-01T00:00:00Z',
      end: '2026-02-01T01:00:00Z',
    };
    emulator.control.addBackups({ backups: [{ ...one, outcome: 'FAILED', size: 7, description: 'x' }] });
    expect(emulator.backups).toMatchObject([
      { name: 'one', type: 'Auto', status: 'FAILED', end_time: '2026-02-01 01:00:00', size: 7, description: 'x' },
    ]);
  });

  it('not a time → throws', async () => {
    await using emulator = await start();
    const backup = { name: 'one', instance_id: DEMO_INSTANCE.id, begin: 'yesterday' };
    expect(() => emulator.control.addBackups({ backups: [backup] })).toThrow('not a time: yesterday');
  });
});

describe('control.changeBackups', () => {
  const changes: [BackupChange, object][] = [
    [{ status: 'FAILED' }, { status: 'FAILED', end_time: '2026-03-01 11:01:00' }],
    [
      { status: 'FAILED', end: NOW },
      { status: 'FAILED', end_time: '2026-03-01 12:00:00' },
    ],
    [{ status: 'DISABLED' }, { status: 'DISABLED' }],
    [{ status: 'BUILDING' }, { status: 'BUILDING', end_time: '', size: 0 }],
    [{ end: '2026-03-01T13:00:00Z' }, { status: 'BUILDING', end_time: '' }],
    [
      { end: '2026-03-01T13:00:00Z', status: 'COMPLETED' },
      { status: 'COMPLETED', end_time: '2026-03-01 12:00:00' },
    ],
    [{ begin: '2099-01-01T00:00:00Z' }, { begin_time: '2099-01-01 00:00:00' }],
    [{ olderByMillis: 24 * HOUR }, { begin_time: '2026-02-28 11:00:00', end_time: '2026-02-28 11:01:00' }],
    [
      { name: 'renamed', description: 'x', size: 0 },
      { name: 'renamed', description: 'x', size: 0 },
    ],
  ];
  it.each(changes)('%j → %j', async (set, expected) => {
    await using emulator = await startWithBackups();
    const { id = '' } = emulator.backups[0] ?? {};
    expect(emulator.control.changeBackups({ where: { id }, set })).toBe(1);
    expect(emulator.control.backups({ id })).toMatchObject([expected]);
    expect((await call(emulator, { query: { backup_id: id } })).body).toMatchObject({ backups: [expected] });
  });

  it('COMPLETED, then FAILED, then COMPLETED → its job says the same', async () => {
    await using emulator = await start();
    const body = { backup: { instance_id: DEMO_INSTANCE.id, name: 'nightly' } };
    const { job_id } = JSON.parse((await call(emulator, { method: 'POST', body })).text);
    emulator.control.advance({ millis: HOUR });
    const job = async () => (await call(emulator, { path: 'jobs', query: { id: String(job_id) } })).body;
    expect(await job()).toMatchObject({ job: { status: 'Completed' } });
    emulator.control.changeBackups({ where: { name: 'nightly' }, set: { status: 'FAILED' } });
    expect(await job()).toMatchObject({ job: { status: 'Failed', ended: '2026-03-01T12:01:00+0000' } });
    emulator.control.changeBackups({ where: { name: 'nightly' }, set: { status: 'COMPLETED' } });
    expect(await job()).toMatchObject({ job: { status: 'Completed' } });
  });

  it('BUILDING, then COMPLETED → the instance is busy, then free', async () => {
    await using emulator = await startWithBackups();
    const create = () =>
      call(emulator, { method: 'POST', body: { backup: { instance_id: DEMO_INSTANCE.id, name: 'next' } } });
    emulator.control.changeBackups({ where: { name: 'nightly-2' }, set: { status: 'BUILDING' } });
    expect((await create()).status).toBe(403);
    emulator.control.changeBackups({ set: { status: 'COMPLETED' } });
    expect((await create()).status).toBe(200);
  });

  it('renamed → the old name is free, the new one is taken', async () => {
    await using emulator = await startWithBackups();
    emulator.control.changeBackups({ where: { name: 'nightly-0' }, set: { name: 'renamed' } });
    emulator.control.changeSettings({ backupMillis: 0 });
    const create = (name: string) =>
      call(emulator, { method: 'POST', body: { backup: { instance_id: DEMO_INSTANCE.id, name } } });
    expect((await create('renamed')).status).toBe(400);
    expect((await create('nightly-0')).status).toBe(200);
  });

  it.each([
    [{}, 3],
    [{ name: 'nightly-1' }, 1],
    [{ id: 'unknown' }, 0],
    [{ instance_id: DEMO_OTHER_INSTANCE.id }, 0],
    [{ type: 'Auto' }, 0],
    [{ status: 'COMPLETED' }, 3],
  ] as const)('where %j → %i changed', async (where, expected) => {
    await using emulator = await startWithBackups();
    expect(emulator.control.changeBackups({ where, set: { size: 1 } })).toBe(expected);
  });
});

it('control.removeBackups: one → gone at once, with its name', async () => {
  await using emulator = await startWithBackups();
  const { id = '' } = emulator.control.backups({ name: 'nightly-1' })[0] ?? {};
  expect(emulator.control.removeBackups({ name: 'nightly-1' })).toBe(1);
  expect(names(emulator)).toEqual(['nightly-0', 'nightly-2']);
  const body = { backup: { instance_id: DEMO_INSTANCE.id, name: 'nightly-1' } };
  expect((await call(emulator, { method: 'POST', body })).status).toBe(200);
  expect(await call(emulator, { method: 'DELETE', path: `backups/${id}` })).toMatchObject({
    body: { error_code: 'DBS.201214' },
  });
});

it('control.removeInstance: its backups → manual ones stay, automated ones go', async () => {
  await using emulator = await startWithBackups();
  emulator.control.addBackups({ series: { ...series, name_prefix: 'auto', type: 'auto' } });
  emulator.control.removeInstance({ id: DEMO_INSTANCE.id });
  expect(names(emulator)).toEqual(['nightly-0', 'nightly-1', 'nightly-2']);
});

describe('control.inject', () => {
  it('times → applied so often', async () => {
    await using emulator = await start();
    emulator.control.inject({ faults: [{ kind: 'empty', status: 503 }], times: 2 });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await call(emulator)).status);
    expect(statuses).toEqual([503, 503, 200]);
  });

  it.each([
    ['the newest is deleted', { do: 'removeBackups', with: { name: 'nightly-0' } }, ['nightly-0', 'nightly-2']],
    [
      'one is added',
      { do: 'addBackups', with: { series: { ...series, name_prefix: 'new', count: 1 } } },
      ['nightly-0', 'nightly-0', 'nightly-1', 'nightly-2'],
    ],
  ] as const)('between two pages %s → the pages shift', async (_, action, expected) => {
    await using emulator = await startWithBackups();
    emulator.control.inject({
      faults: [{ kind: 'control', operation: 'list-backups', when: 'after', actions: [action] }],
    });
    const read = [];
    for (let offset = 0; ; offset += 1) {
      const { backups } = JSON.parse((await call(emulator, { query: { limit: '1', offset: `${offset}` } })).text);
      if (backups.length === 0) break;
      read.push(backups[0].name);
    }
    expect(read).toEqual(expected);
  });
});

it('control.decideFaults: a function → asked for each request, and may change things', async () => {
  await using emulator = await startWithBackups();
  emulator.control.decideFaults(({ query }) => {
    if (query.offset === '1') emulator.control.removeBackups({ name: 'nightly-0' });
    return undefined;
  });
  const { body } = await call(emulator, { query: { limit: '1', offset: '1' } });
  expect(body).toMatchObject({ backups: [{ name: 'nightly-2' }], total_count: 2 });
  emulator.control.clearFaults();
  expect((await call(emulator)).status).toBe(200);
});

it('control.overview: everything that can be set', async () => {
  await using emulator = await startWithBackups();
  await call(emulator);
  expect(emulator.control.overview()).toMatchObject({
    now: NOW.toISOString(),
    settings: { backupMillis: MINUTE, listLagMillis: 0 },
    projects: [{ backups: 3, instances: [{}, {}, {}] }],
    faults: [],
    requests: 1,
  });
});
