import { describe, expect, it } from 'vitest';
import type { Query } from '../../lib/otc/signer.ts';
import { type Emulator, startEmulator } from '../emulator.ts';
import { DEMO_INSTANCE } from '../seed.ts';
import { type CallResult, call } from '../signed-call.ts';
import type { Outcome } from '../state.ts';

async function startWithJob(outcome: Outcome = 'COMPLETED') {
  let now = Date.parse('2026-03-01T12:00:00Z');
  const emulator = await startEmulator({
    clock: () => new Date(now),
    backupMillis: 100_000,
    jobDelayMillis: 3000,
    outcome: () => outcome,
  });
  const created = await call(emulator, {
    method: 'POST',
    body: { backup: { instance_id: DEMO_INSTANCE.id, name: 'nightly' } },
  });
  const { job_id } = JSON.parse(created.text);
  return Object.assign(emulator, { id: String(job_id), pass: (millis: number) => (now += millis) });
}
const ask = (emulator: Emulator, query: Query): Promise<CallResult> => call(emulator, { path: 'jobs', query });
const NOT_FOUND = { error_code: 'DBS.280016', error_msg: 'Resource not found.' };

describe('a job', () => {
  it('is not found for the first seconds', async () => {
    await using emulator = await startWithJob();
    emulator.pass(2999);
    const { status, body } = await ask(emulator, { id: emulator.id });
    expect([status, body]).toEqual([400, NOT_FOUND]);
    emulator.pass(1);
    expect((await ask(emulator, { id: emulator.id })).status).toBe(200);
  });

  it('runs while its backup is built', async () => {
    await using emulator = await startWithJob();
    emulator.pass(60_000);
    expect((await ask(emulator, { id: emulator.id })).body).toEqual({
      job: {
        id: emulator.id,
        name: 'Create_MongoDB_Backup',
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
  ] as const)('of a backup that has %s', async (outcome, job) => {
    await using emulator = await startWithJob(outcome);
    emulator.pass(200_000);
    const { body } = await ask(emulator, { id: emulator.id });
    expect(body).toMatchObject({ job: { ...job, ended: '2026-03-01T12:01:40+0000' } });
  });

  it('is not found after a month', async () => {
    await using emulator = await startWithJob();
    emulator.pass(30 * 86_400_000);
    expect((await ask(emulator, { id: emulator.id })).status).toBe(200);
    emulator.pass(1);
    expect((await ask(emulator, { id: emulator.id })).body).toEqual(NOT_FOUND);
  });

  it.each([
    [{ id: 'a03b1b8a-b756-467c-8a49-38720c3d23ec' }, 'DBS.280016'],
    [{ id: '' }, 'DBS.200001'],
    [{}, 'DBS.200001'],
    [{ id: ['a', 'b'] }, 'DBS.200001'],
  ])('is refused for %j', async (query, error_code) => {
    await using emulator = await startWithJob();
    const { status, body } = await ask(emulator, query);
    expect([status, body]).toMatchObject([400, { error_code }]);
  });
});
