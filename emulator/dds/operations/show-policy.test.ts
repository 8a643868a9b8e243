import { expect, it } from 'vitest';
import { startEmulator } from '../emulator.ts';
import { DEMO_INSTANCE } from '../seed.ts';
import { call } from '../signed-call.ts';

const policy = { keep_days: 14, start_time: '01:00-02:00', period: '1,3,5' };

it.each([
  ['none of its own', {}, { keep_days: 7, start_time: '19:00-20:00', period: '1,2,3,4,5,6,7' }],
  ['one of its own', { policy }, policy],
  ['one that is off', { policy: { ...policy, keep_days: 0 } }, { keep_days: 0 }],
])('GET /instances/{id}/backups/policy: %s → %j', async (_, instance, backup_policy) => {
  await using emulator = await startEmulator();
  emulator.control.setInstance({ instance: { id: DEMO_INSTANCE.id, ...instance } });
  const { status, body } = await call(emulator, { path: `instances/${DEMO_INSTANCE.id}/backups/policy` });
  expect([status, body]).toEqual([200, { backup_policy }]);
});

it('GET /instances/{id}/backups/policy: unknown instance → 404 DBS.200002', async () => {
  await using emulator = await startEmulator();
  expect(await call(emulator, { path: 'instances/unknown/backups/policy' })).toMatchObject({
    status: 404,
    body: { error_code: 'DBS.200002', error_msg: 'The DB instance does not exist.' },
  });
});
