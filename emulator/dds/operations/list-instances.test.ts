import { describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator.ts';
import type { Query } from '../request-target.ts';
import { DEMO_FAULTY_INSTANCE, DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../seed.ts';
import { call } from '../signed-call.ts';

interface Listed {
  readonly [member: string]: unknown;
  readonly name: string;
}
async function list(emulator: Emulator, query: Query = {}): Promise<readonly Listed[]> {
  const { status, text } = await call(emulator, { path: 'instances', query });
  expect(status).toBe(200);
  return JSON.parse(text).instances;
}
const one = async (emulator: Emulator) => (await list(emulator, { id: DEMO_INSTANCE.id }))[0];

describe('GET /instances', () => {
  it('no filter → all of them, newest first', async () => {
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

  const tagged = {
    tags: [
      { key: 'env', value: 'prod' },
      { key: 'owner', value: '' },
      { key: 'a b', value: 'ä=1' },
    ],
    vpc_id: 'vpc-1',
    subnet_id: 'subnet-1',
  };
  const filters: [Query, string[]][] = [
    [{ name: 'orders' }, ['orders']],
    [{ name: 'order' }, []],
    [{ name: '*e' }, ['catalogue', 'orders', 'legacy']],
    [{ name: '*g' }, ['catalogue', 'legacy']],
    [{ mode: 'ReplicaSet' }, ['orders']],
    [{ id: DEMO_INSTANCE.id }, ['orders']],
    [{ id: DEMO_INSTANCE.id, name: 'legacy' }, []],
    [{ vpc_id: 'vpc-1' }, ['orders']],
    [{ vpc_id: 'x' }, []],
    [{ subnet_id: 'subnet-1' }, ['orders']],
    [{ subnet_id: 'x' }, []],
    [{ datastore_type: 'DDS-Community' }, ['catalogue', 'orders', 'legacy']],
    [{ datastore_type: 'x' }, []],
    [{ tags: 'env=prod' }, ['orders']],
    [{ tags: 'env=prod,owner=' }, ['orders']],
    [{ tags: 'owner' }, ['orders']],
    [{ tags: 'a b=ä=1' }, ['orders']],
    [{ tags: 'env=prod,owner=x' }, []],
    [{ tags: 'env=' }, []],
    [{ limit: '1', offset: '1' }, ['orders']],
  ];
  it.each(filters)('filter %j → %j', async (query, expected) => {
    await using emulator = await startEmulator();
    emulator.control.setInstance({ instance: { id: DEMO_INSTANCE.id, ...tagged } });
    expect((await list(emulator, query)).map(({ name }) => name)).toEqual(expected);
  });

  it.each([
    ['refused', { status: 400, body: { error_code: 'DBS.280110', error_msg: 'The DB instance does not exist.' } }],
    ['empty', { status: 200, body: { instances: [], total_count: 0 } }],
  ] as const)('unknown id, where that is %s → %j', async (unknownInstance, expected) => {
    await using emulator = await startEmulator({ unknownInstance });
    expect(await call(emulator, { path: 'instances', query: { id: 'unknown' } })).toMatchObject(expected);
  });

  it.each([
    [{ name: '*' }, 'DBS.200001'],
    [{ mode: 'x' }, 'DBS.280342'],
    [{ limit: '0' }, 'DBS.280439'],
    [{ name: ['a', 'b'] }, 'DBS.200001'],
    [{ tags: '=prod' }, 'DBS.200001'],
    [{ tags: 'a=1,a=2' }, 'DBS.200001'],
    [{ tags: Array.from({ length: 21 }, (_, index) => `k${index}=`).join(',') }, 'DBS.200001'],
  ])('%j → 400 %s', async (query, error_code) => {
    await using emulator = await startEmulator();
    expect(await call(emulator, { path: 'instances', query })).toMatchObject({ status: 400, body: { error_code } });
  });

  it('a backup and another operation run → actions', async () => {
    await using emulator = await startEmulator();
    await call(emulator, { method: 'POST', body: { backup: { instance_id: DEMO_INSTANCE.id, name: 'nightly' } } });
    emulator.control.setInstance({ instance: { id: DEMO_INSTANCE.id, actions: ['GROWING'] } });
    expect(await one(emulator)).toMatchObject({ status: 'normal', actions: ['BACKUP', 'GROWING'] });
  });

  it.each([
    ['3.4', 'wiredTiger'],
    ['4.0', 'wiredTiger'],
    ['4.2', 'rocksDB'],
    ['4.4', 'rocksDB'],
    ['5.0', 'rocksDB'],
  ])('version %s → engine %s', async (version, engine) => {
    await using emulator = await startEmulator();
    const datastore = { type: 'DDS-Community', version };
    emulator.control.setInstance({ instance: { id: DEMO_INSTANCE.id, datastore } });
    expect(await one(emulator)).toMatchObject({ datastore, engine });
  });

  it('an instance → its tags and its backup strategy', async () => {
    await using emulator = await startEmulator();
    const policy = { keep_days: 14, start_time: '01:00-02:00', period: '1' };
    emulator.control.setInstance({ instance: { id: DEMO_INSTANCE.id, ...tagged, policy } });
    expect(await one(emulator)).toMatchObject({
      ...tagged,
      backup_strategy: { keep_days: 14, start_time: '01:00-02:00' },
    });
  });

  it.each([
    [{ set: { created: '2026-03-01T12:00:00.123+02:00' } }, { created: '2026-03-01T12:00:00.123+02:00' }],
    [{ set: { created: null } }, { created: null }],
    [{ set: { tags: 'x' }, omit: ['updated'] }, { tags: 'x' }],
  ])('override %j → %j', async (override, expected) => {
    await using emulator = await startEmulator();
    emulator.control.setInstance({ instance: { id: DEMO_INSTANCE.id, override } });
    expect(await one(emulator)).toMatchObject(expected);
  });

  it('override that omits a member → it is not there', async () => {
    await using emulator = await startEmulator();
    emulator.control.setInstance({ instance: { id: DEMO_INSTANCE.id, override: { omit: ['created'] } } });
    expect(await one(emulator)).not.toHaveProperty('created');
  });

  it('an instance appears, turns abnormal, disappears → so listed', async () => {
    await using emulator = await startEmulator({ instances: [] });
    emulator.control.setInstance({ instance: { id: 'new' } });
    expect(await list(emulator)).toMatchObject([{ id: 'new', name: 'new', status: 'normal' }]);
    emulator.control.setInstance({ instance: { id: 'new', status: 'abnormal' } });
    expect(await list(emulator)).toMatchObject([{ id: 'new', name: 'new', status: 'abnormal' }]);
    emulator.control.removeInstance({ id: 'new' });
    expect(await list(emulator)).toEqual([]);
  });
});
