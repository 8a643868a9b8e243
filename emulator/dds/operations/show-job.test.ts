import { describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator.ts';
import type { Outcome } from '../records.ts';
import type { Query } from '../request-target.ts';
import { DEMO_INSTANCE } from '../seed.ts';
import { type CallResult, call } from '../signed-call.ts';

async function startWithJob(outcome: Outcome = 'COMPLETED') {
  const emulator = await startEmulator({
    clock: () => new Date('2026-03-01T12:00:00Z'),
    backupMillis: 100_000,
    jobDelayMillis: 3000,
    outcome: () => outcome,
  });
  const body = { backup: { instance_id: DEMO_INSTANCE.id, name: 'nightly' } };
  const { job_id } = JSON.parse((await call(emulator, { method: 'POST', body })).text);
  return Object.assign(emulator, { id: String(job_id) });
}
const ask = (emulator: Emulator, query: Query): Promise<CallResult> => call(emulator, { path: 'jobs', query });
const NOT_FOUND = { status: 400, body: { error_code: 'DBS.200543', error_msg: 'The job does not exist.' } };

describe('GET /jobs', () => {
  it('a new job → does not exist for the first seconds', async () => {
    await using emulator = await startWithJob();
    emulator.control.advance({ millis: 2999 });
    expect(await ask(emulator, { id: emulator.id })).toMatchObject(NOT_FOUND);
    emulator.control.advance({ millis: 1 });
    expect((await ask(emulator, { id: emulator.id })).status).toBe(200);
  });

  it('its backup is BUILDING → Running', async () => {
    await using emulator = await startWithJob();
    emulator.control.advance({ millis: 60_000 });
    expect((await ask(emulator, { id: emulator.id })).body).toEqual({
      job: {
        id: emulator.id,
        name: 'MongodbSnapshotBackup',
        status: 'Running',
        created: '2026-03-01T12:00:00+0000',
        ended: '2026-03-01T12:01:00+0000',
        progress: '60%',
        instance: { id: DEMO_INSTANCE.id, name: 'orders' },
        fail_reason: null,
      },
    });
  });

  it.each([
    ['COMPLETED', { status: 'Completed', progress: '', fail_reason: null }],
    ['FAILED', { status: 'Failed', progress: '', fail_reason: 'Failed to create the backup.' }],
  ] as const)('its backup has %s → %j', async (outcome, job) => {
    await using emulator = await startWithJob(outcome);
    emulator.control.advance({ millis: 200_000 });
    const { body } = await ask(emulator, { id: emulator.id });
    expect(body).toMatchObject({ job: { ...job, ended: '2026-03-01T12:01:40+0000' } });
  });

  it('a month has passed → does not exist', async () => {
    await using emulator = await startWithJob();
    emulator.control.advance({ millis: 30 * 86_400_000 });
    expect((await ask(emulator, { id: emulator.id })).status).toBe(200);
    emulator.control.advance({ millis: 1 });
    expect(await ask(emulator, { id: emulator.id })).toMatchObject(NOT_FOUND);
  });

  it.each([
    [{ id: 'a03b1b8a-b756-467c-8a49-38720c3d23ec' }, 'DBS.200543'],
    [{ id: '' }, 'DBS.200001'],
    [{}, 'DBS.200001'],
    [{ id: ['a', 'b'] }, 'DBS.200001'],
  ])('%j → 400 %s', async (query, error_code) => {
    await using emulator = await startWithJob();
    expect(await ask(emulator, query)).toMatchObject({ status: 400, body: { error_code } });
  });
});
