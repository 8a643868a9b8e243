import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import { backupService } from '../lib/lambda/backup-service.ts';
import { environment } from '../test/support/emulated.ts';
import { lambdaContext, sample } from '../test/support/lambda.ts';
import { logLines } from '../test/support/log-lines.ts';
import { virtualTime } from '../test/support/virtual-time.ts';
import { invokeHandler } from './invoke.ts';

const PREFIXED = { backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'nightly' } };

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
beforeEach(async () => {
  time = virtualTime('2026-03-01T02:30:04Z');
  emulator = await startEmulator({ clock: time.now, backupMillis: 1000 });
});
afterEach(() => emulator.close());
const lines = logLines();

const call = (payload: unknown, requestId = 'request-1') => {
  const service = backupService({ env: environment(emulator), now: time.now, wait: time.wait });
  return invokeHandler(service)(payload, lambdaContext(60_000, requestId));
};

describe('a call', () => {
  it.each(['direct', 'name-prefix', 'schedule'])('of kind %s becomes one backup and returns its ids', async (name) => {
    expect(await call(sample(name))).toEqual({ job_id: expect.any(String), backup_id: emulator.backups[0]?.id });
    expect(lines).toMatchObject([
      { event: 'backup.accepted', trigger: 'invoke', instance_id: sample(name).backup.instance_id },
    ]);
  });

  it('of the schedule is named after its scheduled time', async () => {
    await call(sample('schedule'));
    expect(emulator.backups[0]?.name).toMatch(/^nightly-20260301T023000Z-[0-9a-f]{12}$/);
  });

  it('is recognised under its id, in whatever request it comes again', async () => {
    const { backup_id } = await call({ id: 'import-1', ...PREFIXED }, 'request-1');
    time.advance(60_000);
    expect(await call({ id: 'import-1', ...PREFIXED }, 'request-2')).toEqual({ backup_id });
  });

  it('without an id is recognised when Lambda tries it again, and is another in another request', async () => {
    const { backup_id } = await call(PREFIXED, 'request-1');
    time.advance(60_000);
    expect(await call(PREFIXED, 'request-1')).toEqual({ backup_id });
    expect(await call(PREFIXED, 'request-2')).toMatchObject({ job_id: expect.any(String) });
    expect(emulator.backups).toHaveLength(2);
  });

  it('sends DDS nothing of its identity', async () => {
    await call({ id: 'import-1', time: '2026-03-01T02:30:00Z', ...PREFIXED });
    expect(emulator.requests[0]?.body).toEqual({
      backup: { instance_id: DEMO_INSTANCE.id, name: emulator.backups[0]?.name },
    });
  });
});

describe('a name that was given before', () => {
  const NAMED = { backup: { instance_id: DEMO_INSTANCE.id, name: 'before-import' } };

  it.each([3000, 24 * 3_600_000])('is refused %i ms later, with a time and without', async (later) => {
    await call({ id: 'import-1', time: time.now().toISOString(), ...NAMED }, 'request-1');
    time.advance(later);
    const again = { id: 'import-2', time: time.now().toISOString(), ...NAMED };
    await expect(call(again, 'request-2')).rejects.toMatchObject({ name: 'BackupNameTaken' });
    await expect(call(NAMED, 'request-3')).rejects.toMatchObject({ name: 'BackupNameTaken' });
    expect(emulator.backups).toHaveLength(1);
  });

  it('is recognised in a later delivery of a call whose time is known', async () => {
    const payload = { id: 'import-1', time: time.now().toISOString(), ...NAMED };
    const { backup_id } = await call(payload, 'request-1');
    time.advance(3_600_000);
    expect(await call(payload, 'request-2')).toEqual({ backup_id });
  });
});

describe('a time', () => {
  it.each([
    ['24 hours old', '2026-02-28T02:30:04Z'],
    ['5 minutes ahead', '2026-03-01T02:35:04Z'],
    ['of another zone', '2026-03-01T03:30:04+01:00'],
    ['of a fraction of a second', '2026-03-01T02:30:03.999Z'],
  ])('%s is taken', async (_, at) => {
    expect(await call({ id: 'a', time: at, ...PREFIXED })).toHaveProperty('job_id');
  });

  it.each([
    ['older', '2026-02-28T02:30:03Z', 'within the last 24 hours'],
    ['further ahead', '2026-03-01T02:35:05Z', 'within the last 24 hours'],
    ['without a zone', '2026-03-01T02:30:04', 'must be a time'],
    ['that is a number', 1772332204, 'must be a time'],
    ['that is null', null, 'must be a time'],
  ])('%s is InvalidRequest', async (_, at, message) => {
    await expect(call({ id: 'a', time: at, ...PREFIXED })).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: expect.stringContaining(message),
    });
    expect(emulator.requests).toEqual([]);
  });
});

describe('a payload that is none', () => {
  it.each([
    ['null', null],
    ['text', 'backup'],
    ['a number', 7],
    ['a list', [PREFIXED]],
    ['nothing', {}],
    ['an id that is a number', { id: 7, ...PREFIXED }],
    ['an id that is null', { id: null, ...PREFIXED }],
    ['an id that is too long', { id: 'x'.repeat(257), ...PREFIXED }],
    ['a field that is not known', { detail: {}, ...PREFIXED }],
  ])('%s is thrown as InvalidRequest, and DDS hears nothing', async (_, payload) => {
    await expect(call(payload)).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect(emulator.requests).toEqual([]);
  });
});
