import { describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from './emulator.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE, DEMO_PROJECT_ID } from './seed.ts';
import { call, type SignedCall } from './signed-call.ts';

const OTHER = {
  id: 'other-project',
  credentials: [{ ak: 'OTHER', sk: 'other' }],
  instances: [{ ...DEMO_INSTANCE, id: 'other-instance' }],
  backups: [{ name: 'nightly', instance_id: 'other-instance', begin: new Date(0), type: 'Manual' as const }],
};
const start = (): Promise<Emulator> => startEmulator({ projects: [OTHER] });
const first = { projectId: DEMO_PROJECT_ID, credentials: DEMO_CREDENTIALS };
const other = { projectId: OTHER.id, credentials: { ak: 'OTHER', sk: 'other' } };
const create = (emulator: Emulator, options: SignedCall, instance_id: string) =>
  call(emulator, { ...options, method: 'POST', body: { backup: { instance_id, name: 'nightly' } } });

describe('several projects', () => {
  it('one name in two of them → taken in one only', async () => {
    await using emulator = await start();
    expect((await create(emulator, first, DEMO_INSTANCE.id)).status).toBe(200);
    expect((await create(emulator, other, 'other-instance')).body).toMatchObject({ error_code: 'DBS.201201' });
  });

  it('each → its own instances and backups', async () => {
    await using emulator = await start();
    expect((await call(emulator, first)).body).toMatchObject({ backups: [], total_count: 0 });
    expect((await call(emulator, other)).body).toMatchObject({ backups: [{ name: 'nightly' }] });
    expect((await call(emulator, { ...other, path: 'instances' })).body).toMatchObject({
      instances: [{ id: 'other-instance' }],
      total_count: 1,
    });
    expect((await create(emulator, other, DEMO_INSTANCE.id)).status).toBe(404);
    expect(emulator.control.backups({ project: OTHER.id })).toMatchObject([{ name: 'nightly' }]);
    expect(emulator.requests.map(({ project }) => project)).toEqual([DEMO_PROJECT_ID, OTHER.id, OTHER.id, OTHER.id]);
  });

  it.each([
    ['the first one’s key for the other', { ...other, credentials: DEMO_CREDENTIALS }],
    ['the other one’s key for the first', { ...first, credentials: other.credentials }],
    ['a project that is not there', { ...first, projectId: 'x' }],
  ])('%s → 400 DBS.200010', async (_, options) => {
    await using emulator = await start();
    expect(await call(emulator, options)).toMatchObject({ status: 400, body: { error_code: 'DBS.200010' } });
  });

  it('one key for two of them → both', async () => {
    await using emulator = await start();
    emulator.control.changeProject({ project: OTHER.id, credentials: [DEMO_CREDENTIALS] });
    expect((await call(emulator, { ...other, credentials: DEMO_CREDENTIALS })).status).toBe(200);
    expect((await call(emulator, first)).status).toBe(200);
  });

  it('added later, twice → there, then an error', async () => {
    await using emulator = await startEmulator();
    emulator.control.addProject(OTHER);
    expect((await call(emulator, other)).status).toBe(200);
    expect(() => emulator.control.addProject(OTHER)).toThrow('has a project other-project already');
    expect(() => emulator.control.backups({ project: 'x' })).toThrow('no project x');
  });
});
