import { describe, expect, it } from 'vitest';
import type { Query } from '../../lib/otc/signer.ts';
import { startEmulator } from '../emulator.ts';
import { DEMO_FAULTY_INSTANCE, DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../seed.ts';
import { call } from '../signed-call.ts';

describe('the list of instances', () => {
  it('holds all of them, newest first', async () => {
    await using emulator = await startEmulator();
    const { status, body } = await call(emulator, { path: 'instances' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      instances: [
        { id: DEMO_OTHER_INSTANCE.id, name: 'catalogue', status: 'normal', mode: 'Sharding', actions: [] },
        { id: DEMO_INSTANCE.id, name: 'orders', status: 'normal', mode: 'ReplicaSet', actions: [] },
        { id: DEMO_FAULTY_INSTANCE.id, name: 'legacy', status: 'abnormal', mode: 'Single', actions: [] },
      ],
      total_count: 3,
    });
  });

  it('shows the backup that runs', async () => {
    await using emulator = await startEmulator();
    await call(emulator, { method: 'POST', body: { backup: { instance_id: DEMO_INSTANCE.id, name: 'nightly' } } });
    const { body } = await call(emulator, { path: 'instances', query: { id: DEMO_INSTANCE.id } });
    expect(body).toMatchObject({ instances: [{ status: 'normal', actions: ['BACKUP'] }], total_count: 1 });
  });

  const filters: [Query, string[]][] = [
    [{ name: 'orders' }, ['orders']],
    [{ name: 'order' }, []],
    [{ name: '*e' }, ['catalogue', 'orders', 'legacy']],
    [{ name: '*g' }, ['catalogue', 'legacy']],
    [{ mode: 'ReplicaSet' }, ['orders']],
    [{ id: 'unknown' }, []],
    [{ limit: '1', offset: '1' }, ['orders']],
  ];
  it.each(filters)('filters by %j', async (query, expected) => {
    await using emulator = await startEmulator();
    const { text } = await call(emulator, { path: 'instances', query });
    expect(JSON.parse(text).instances.map(({ name }: { name: string }) => name)).toEqual(expected);
  });

  it.each([
    [{ name: '*' }, 'DBS.200001'],
    [{ mode: 'x' }, 'DBS.280342'],
    [{ limit: '0' }, 'DBS.280439'],
    [{ name: ['a', 'b'] }, 'DBS.200001'],
  ])('is refused for %j', async (query, error_code) => {
    await using emulator = await startEmulator();
    const { status, body } = await call(emulator, { path: 'instances', query });
    expect([status, body]).toMatchObject([400, { error_code }]);
  });
});
