import { describe, expect, it } from 'vitest';
import type { ListBackupsResponse } from '../../lib/dds/types.ts';
import type { Query } from '../../lib/otc/signer.ts';
import { type Emulator, startEmulator } from '../emulator.ts';
import { DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../seed.ts';
import { call } from '../signed-call.ts';
import type { SeededBackup } from '../state.ts';

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
const start = (): Promise<Emulator> => startEmulator({ clock: () => at('12:00:00'), backups });

async function list(emulator: Emulator, query: Query = {}): Promise<ListBackupsResponse> {
  const { status, text } = await call(emulator, { query });
  expect(status).toBe(200);
  return JSON.parse(text);
}
const names = async (emulator: Emulator, query: Query = {}): Promise<string[]> =>
  (await list(emulator, query)).backups.map(({ name }) => name);

describe('the list of backups', () => {
  it('holds all of them, newest first, in the form of the sample', async () => {
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

  it('puts the later of one moment first', async () => {
    await using emulator = await startEmulator({ clock: () => at('12:00:00'), backupMillis: 0 });
    for (const name of ['first', 'second', 'third'])
      await call(emulator, { method: 'POST', body: { backup: { instance_id: DEMO_INSTANCE.id, name } } });
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
  it.each(filters)('filters by %j', async (query, expected) => {
    await using emulator = await start();
    expect(await names(emulator, query)).toEqual(expected);
  });

  it('filters by id', async () => {
    await using emulator = await start();
    const { backups: listed } = await list(emulator);
    expect(await names(emulator, { backup_id: listed[2]?.id ?? '' })).toEqual(['auto-08']);
  });

  it('is paged, and counts what fits on every page', async () => {
    await using emulator = await start();
    expect(await names(emulator, { limit: '2' })).toEqual(['manual-10', 'other-09']);
    expect(await list(emulator, { limit: '2', offset: '2' })).toMatchObject({
      backups: [{ name: 'auto-08' }],
      total_count: 3,
    });
    expect(await list(emulator, { offset: '3' })).toEqual({ backups: [], total_count: 3 });
  });

  it('holds 100 at most by default', async () => {
    const many = Array.from({ length: 101 }, (_, index) => ({
      name: `auto-${index}`,
      instance_id: DEMO_INSTANCE.id,
      begin: at('08:00:00'),
    }));
    await using emulator = await startEmulator({ backups: many });
    const { backups: listed, total_count } = await list(emulator);
    expect([listed.length, total_count]).toEqual([100, 101]);
  });

  it('keeps manual backups of an instance that is gone', async () => {
    await using emulator = await start();
    emulator.state.removeInstance(DEMO_INSTANCE.id);
    expect(await names(emulator, { instance_id: DEMO_INSTANCE.id })).toEqual(['manual-10']);
  });
});

describe('the list of backups is refused for', () => {
  const refused: [Query, string, string][] = [
    [{ limit: '0' }, 'DBS.280439', 'Invalid query limit.'],
    [{ limit: '101' }, 'DBS.280439', 'Invalid query limit.'],
    [{ limit: 'ten' }, 'DBS.280439', 'Invalid query limit.'],
    [{ limit: '1.5' }, 'DBS.280439', 'Invalid query limit.'],
    [{ limit: ['1', '2'] }, 'DBS.200001', 'Parameter error.'],
    [{ offset: '-1' }, 'DBS.280440', 'Invalid offset.'],
    [{ backup_type: 'manual' }, 'DBS.200001', 'Parameter error.'],
    [{ mode: 'replica' }, 'DBS.280342', 'Invalid DB instance mode.'],
    [{ begin_time: '2026-03-01 08:00:00' }, 'DBS.200001', 'Parameter error.'],
    [{ end_time: '2026-03-01 08:00:00' }, 'DBS.200001', 'Parameter error.'],
    [{ begin_time: '2026-03-01T08:00:00Z', end_time: '2026-03-01 08:00:00' }, 'DBS.200001', 'Parameter error.'],
    [{ begin_time: '2026-02-30 08:00:00', end_time: '2026-03-01 08:00:00' }, 'DBS.200001', 'Parameter error.'],
    [{ begin_time: '2026-03-02 08:00:00', end_time: '2026-03-01 08:00:00' }, 'DBS.200001', 'Parameter error.'],
  ];
  it.each(refused)('%j', async (query, error_code, error_msg) => {
    await using emulator = await start();
    const { status, body } = await call(emulator, { query });
    expect([status, body]).toEqual([400, { error_code, error_msg }]);
  });

  it('times whose space was sent as a plus sign', async () => {
    await using emulator = await start();
    const query = { begin_time: '2026-03-01+08:00:00', end_time: '2026-03-01+09:00:00' };
    expect((await call(emulator, { query })).body).toMatchObject({ error_code: 'DBS.200001' });
  });
});
