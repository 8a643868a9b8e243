import { describe, expect, it } from 'vitest';
import type { Actions } from '../control.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../emulator.ts';
import { refusals } from '../refusals.ts';
import { DEMO_INSTANCE, DEMO_OTHER_INSTANCE } from '../seed.ts';
import { type CallResult, call } from '../signed-call.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const UNKNOWN = '8d9586c40b33449a815518d4635a2cd9br02';

const start = (options: EmulatorOptions = {}): Promise<Emulator> =>
  startEmulator({
    clock: () => new Date(NOW),
    deletionMillis: 5000,
    jobDelayMillis: 1000,
    backups: [
      { name: 'manual', instance_id: DEMO_INSTANCE.id, begin: new Date(NOW - 3_600_000), type: 'Manual' },
      { name: 'automated', instance_id: DEMO_INSTANCE.id, begin: new Date(NOW - 7_200_000) },
    ],
    ...options,
  });
const remove = (emulator: Emulator, id: string): Promise<CallResult> =>
  call(emulator, { method: 'DELETE', path: `backups/${id}` });
const create = (emulator: Emulator, name: string, instance_id = DEMO_INSTANCE.id): Promise<CallResult> =>
  call(emulator, { method: 'POST', body: { backup: { instance_id, name } } });
const idOf = (emulator: Emulator, name: string): string => emulator.control.backups({ name })[0]?.id ?? '';

describe('DELETE /backups/{id}', () => {
  it('manual backup → a job, DISABLED for a while, then gone', async () => {
    await using emulator = await start();
    const { status, body } = await remove(emulator, idOf(emulator, 'manual'));
    expect(status).toBe(200);
    expect(body).toEqual({ job_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(emulator.requests.at(-1)).toMatchObject({ operation: 'delete-backup', tookEffect: true });
    emulator.control.advance({ millis: 4999 });
    expect(emulator.backups[0]).toMatchObject({ name: 'manual', status: 'DISABLED' });
    emulator.control.advance({ millis: 1 });
    expect(emulator.backups.map(({ name }) => name)).toEqual(['automated']);
  });

  it('gone → its name is free', async () => {
    await using emulator = await start();
    await remove(emulator, idOf(emulator, 'manual'));
    expect((await create(emulator, 'manual')).body).toMatchObject({ error_code: 'DBS.201201' });
    emulator.control.advance({ millis: 5000 });
    expect((await create(emulator, 'manual')).status).toBe(200);
  });

  it.each([
    [999, { status: 400, body: { error_code: 'DBS.200543', error_msg: 'The job does not exist.' } }],
    [1000, { status: 200, body: { job: { name: 'MongodbRecycleBackup', status: 'Running', progress: '20%' } } }],
    [5000, { status: 200, body: { job: { status: 'Completed', progress: '', fail_reason: null } } }],
    [3_600_000, { status: 200, body: { job: { status: 'Completed', ended: '2026-03-01T12:00:05+0000' } } }],
  ])('its job after %i ms → %j', async (millis, expected) => {
    await using emulator = await start();
    const deleted = await remove(emulator, idOf(emulator, 'manual'));
    const id = String(JSON.parse(deleted.text).job_id);
    emulator.control.advance({ millis });
    expect(await call(emulator, { path: 'jobs', query: { id } })).toMatchObject(expected);
  });

  it('manual backup of an instance that is gone → 200', async () => {
    await using emulator = await start();
    emulator.control.removeInstance({ id: DEMO_INSTANCE.id });
    expect((await remove(emulator, idOf(emulator, 'manual'))).status).toBe(200);
  });

  const until = (millis: number): string => new Date(NOW + millis).toISOString();
  type Prepare = (emulator: Emulator) => unknown;
  const on =
    <Name extends keyof Actions>(name: Name, argument: Parameters<Actions[Name]>[0]): Prepare =>
    ({ control }) =>
      Reflect.apply(control[name], control, [argument]);
  const named = { name: 'manual' };
  const refused: [string, Prepare, string, keyof typeof refusals][] = [
    ['an unknown id', () => {}, UNKNOWN, 'noSuchBackup'],
    ['one that is being deleted', (emulator) => remove(emulator, idOf(emulator, 'manual')), 'manual', 'noSuchBackup'],
    ['an automated one', () => {}, 'automated', 'invalidBackup'],
    ['one that is BUILDING', (emulator) => create(emulator, 'running'), 'running', 'backupBuilding'],
    ['another backup runs on the instance', (emulator) => create(emulator, 'running'), 'manual', 'instanceBusy'],
    [
      'another operation runs on the instance',
      on('setInstance', { instance: { id: DEMO_INSTANCE.id, actions: ['RESTARTING'] } }),
      'manual',
      'instanceBusy',
    ],
    [
      'a restore reads it',
      on('changeBackups', { where: named, set: { restoringUntil: until(60_000) } }),
      'manual',
      'backupInRestore',
    ],
  ];
  it.each(refused)('%s → refused', async (_, prepare, name, refusal) => {
    await using emulator = await start();
    await prepare(emulator);
    const { status, error_code, error_msg } = refusals[refusal];
    const answer = await remove(emulator, name === UNKNOWN ? name : idOf(emulator, name));
    expect(answer).toMatchObject({ status, body: { error_code, error_msg } });
  });

  it('a backup of another instance runs, a restore has ended → 200', async () => {
    await using emulator = await start();
    await create(emulator, 'running', DEMO_OTHER_INSTANCE.id);
    emulator.control.changeBackups({ where: named, set: { restoringUntil: until(0) } });
    expect((await remove(emulator, idOf(emulator, 'manual'))).status).toBe(200);
  });

  it.each([
    [false, { status: 400, body: { error_code: 'DBS.201214', error_msg: 'The backup file does not exist.' } }],
    [true, { status: 400, body: { error_code: 'DBS.201502', error_msg: 'The DB instance does not exist.' } }],
  ])('gone already, its instance gone too: %s → %j', async (isInstanceGone, expected) => {
    await using emulator = await start();
    const id = idOf(emulator, 'manual');
    await remove(emulator, id);
    emulator.control.advance({ millis: 5000 });
    if (isInstanceGone) emulator.control.removeInstance({ id: DEMO_INSTANCE.id });
    expect(await remove(emulator, id)).toMatchObject(expected);
  });
});
