import { describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator.ts';
import { DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../seed.ts';
import { type CallResult, call } from '../signed-call.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const begin = new Date(NOW - 3_600_000);

async function startAt() {
  let now = NOW;
  const backups = [
    { name: 'manual', instance_id: DEMO_INSTANCE.id, begin, type: 'Manual' as const },
    { name: 'automated', instance_id: DEMO_INSTANCE.id, begin: new Date(NOW - 7_200_000) },
  ];
  const emulator = await startEmulator({ clock: () => new Date(now), deletionMillis: 5000, backups });
  return Object.assign(emulator, { pass: (millis: number) => (now += millis) });
}
const remove = (emulator: Emulator, id: string): Promise<CallResult> =>
  call(emulator, { method: 'DELETE', path: `backups/${id}` });
const create = (emulator: Emulator, name: string, instance_id = DEMO_INSTANCE.id): Promise<CallResult> =>
  call(emulator, { method: 'POST', body: { backup: { instance_id, name } } });
const idOf = (emulator: Emulator, name: string): string =>
  emulator.backups.find((backup) => backup.name === name)?.id ?? '';
const NO_SUCH_BACKUP = { error_code: 'DBS.201204', error_msg: 'The backup file does not exist.' };

describe('deleting a backup', () => {
  it('answers with a job, leaves it DISABLED for a while, then gone', async () => {
    await using emulator = await startAt();
    const { status, body } = await remove(emulator, idOf(emulator, 'manual'));
    expect(status).toBe(200);
    expect(body).toEqual({ job_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(emulator.requests.at(-1)).toMatchObject({ operation: 'delete-backup', tookEffect: true });
    emulator.pass(4999);
    expect(emulator.backups[0]).toMatchObject({ name: 'manual', status: 'DISABLED' });
    emulator.pass(1);
    expect(emulator.backups.map(({ name }) => name)).toEqual(['automated']);
  });

  it('frees the name once it is gone', async () => {
    await using emulator = await startAt();
    await remove(emulator, idOf(emulator, 'manual'));
    expect((await create(emulator, 'manual')).body).toMatchObject({ error_code: 'DBS.201201' });
    emulator.pass(5000);
    expect((await create(emulator, 'manual')).status).toBe(200);
  });

  it('works while its instance is busy with another, and when its instance is gone', async () => {
    await using emulator = await startAt();
    await create(emulator, 'running');
    expect((await remove(emulator, idOf(emulator, 'manual'))).status).toBe(200);
    emulator.pass(30_000);
    emulator.state.removeInstance(DEMO_INSTANCE.id);
    expect((await remove(emulator, idOf(emulator, 'running'))).status).toBe(200);
  });

  it('is refused for one that does not exist', async () => {
    await using emulator = await startAt();
    const { status, body } = await remove(emulator, '8d9586c40b33449a815518d4635a2cd9br02');
    expect([status, body]).toEqual([400, NO_SUCH_BACKUP]);
  });

  it('is refused for one that is being deleted', async () => {
    await using emulator = await startAt();
    const id = idOf(emulator, 'manual');
    await remove(emulator, id);
    expect((await remove(emulator, id)).body).toEqual(NO_SUCH_BACKUP);
  });

  it('is refused for an automated one', async () => {
    await using emulator = await startAt();
    const { status, body } = await remove(emulator, idOf(emulator, 'automated'));
    expect([status, body]).toEqual([400, { error_code: 'DBS.280124', error_msg: 'Invalid backup.' }]);
  });

  it('is refused for one that is still BUILDING', async () => {
    await using emulator = await startAt();
    await create(emulator, 'running', DEMO_OTHER_INSTANCE.id);
    const { status, body } = await remove(emulator, idOf(emulator, 'running'));
    expect([status, body]).toMatchObject([403, { error_code: 'DBS.201015' }]);
  });
});
