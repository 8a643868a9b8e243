import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import { awsService } from '../lib/aws/platform.ts';
import { environment } from '../test/support/emulated.ts';
import { call as callHandler, lambdaContext, sample } from '../test/support/lambda.ts';
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
  const service = awsService({ env: environment(emulator), timing: { ...time, random: () => 1 } });
  return callHandler(invokeHandler(service), payload, lambdaContext(60_000, requestId));
};

describe('invoke: valid call', () => {
  it.each(['direct', 'name-prefix', 'schedule'])('%s → one backup; returns its ids', async (name) => {
    expect(await call(sample(name))).toEqual({ job_id: expect.any(String), backup_id: emulator.backups[0]?.id });
    expect(lines).toMatchObject([
      { event: 'request.accepted', trigger: 'invoke', instance_id: sample(name).backup.instance_id },
    ]);
  });

  it('of the schedule → the name has the scheduled time', async () => {
    await call(sample('schedule'));
    expect(emulator.backups[0]?.name).toMatch(/^nightly-20260301T023000Z-[a-z2-7]{14}$/);
  });

  it('same id in another request → replayed', async () => {
    await call({ id: 'import-1', ...PREFIXED }, 'request-1');
    time.advance(60_000);
    expect(await call({ id: 'import-1', ...PREFIXED }, 'request-2')).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(lines).toMatchObject([{ event: 'request.accepted' }, { event: 'request.replayed' }]);
  });

  it('no id, same request → replayed', async () => {
    await call(PREFIXED, 'request-1');
    time.advance(60_000);
    expect(await call(PREFIXED, 'request-1')).toEqual({ backup_id: emulator.backups[0]?.id });
  });

  it('no id, another request → another backup', async () => {
    await call(PREFIXED, 'request-1');
    time.advance(60_000);
    expect(await call(PREFIXED, 'request-2')).toMatchObject({ job_id: expect.any(String) });
    expect(emulator.backups).toHaveLength(2);
  });

  it('→ DDS gets nothing of id and time', async () => {
    await call({ id: 'import-1', time: '2026-03-01T02:30:00Z', ...PREFIXED });
    expect(emulator.requests[0]?.body).toEqual({
      backup: { instance_id: DEMO_INSTANCE.id, name: emulator.backups[0]?.name },
    });
  });
});

describe('invoke: given name that exists', () => {
  const NAMED = { backup: { instance_id: DEMO_INSTANCE.id, name: 'before-import' } };

  it.each([3000, 24 * 3_600_000])(
    '%i ms after another call → BackupNameTaken, with a time and without',
    async (later) => {
      await call({ id: 'import-1', time: time.now().toISOString(), ...NAMED }, 'request-1');
      time.advance(later);
      const again = { id: 'import-2', time: time.now().toISOString(), ...NAMED };
      await expect(call(again, 'request-2')).rejects.toMatchObject({ name: 'BackupNameTaken' });
      await expect(call(NAMED, 'request-3')).rejects.toMatchObject({ name: 'BackupNameTaken' });
      expect(emulator.backups).toHaveLength(1);
    },
  );

  it('later delivery of a call with a time → replayed', async () => {
    const payload = { id: 'import-1', time: time.now().toISOString(), ...NAMED };
    await call(payload, 'request-1');
    time.advance(3_600_000);
    expect(await call(payload, 'request-2')).toEqual({ backup_id: emulator.backups[0]?.id });
  });

  it('another description → BackupNameTaken', async () => {
    const payload = { id: 'import-1', time: time.now().toISOString(), ...NAMED };
    await call(payload, 'request-1');
    const other = { ...payload, backup: { ...NAMED.backup, description: 'another' } };
    await expect(call(other, 'request-2')).rejects.toMatchObject({ name: 'BackupNameTaken' });
  });
});

describe('invoke: time', () => {
  it.each([
    ['24 hours old', '2026-02-28T02:30:04Z'],
    ['5 minutes ahead', '2026-03-01T02:35:04Z'],
    ['in another zone', '2026-03-01T03:30:04+01:00'],
    ['with a fraction of a second', '2026-03-01T02:30:03.999Z'],
    ['as old as the maximum age and a day', '2026-02-27T02:30:04Z'],
  ])('%s → accepted', async (_, at) => {
    expect(await call({ id: 'a', time: at, ...PREFIXED })).toHaveProperty('job_id');
  });

  it.each([
    ['older', '2026-02-27T02:30:03Z'],
    ['31 days old', '2026-01-29T02:30:04Z'],
  ])('%s → DeadlinePassed, and nothing is submitted', async (_, at) => {
    await expect(call({ id: 'a', time: at, ...PREFIXED })).rejects.toMatchObject({ name: 'DeadlinePassed' });
    expect(emulator.requests.map(({ operation }) => operation)).toEqual(['list-backups']);
  });

  it.each([
    ['over 31 days old', '2026-01-29T02:30:03Z', '/time must be at most 31 days old'],
    ['over 5 minutes ahead', '2026-03-01T02:35:05Z', '/time must be at most 31 days old and 5 minutes ahead'],
    ['without a zone', '2026-03-01T02:30:04', '/time must be a time'],
    ['a number', 1772332204, '/time must be a time'],
    ['null', null, '/time must be a time'],
  ])('%s → InvalidRequest, and DDS is not asked', async (_, at, message) => {
    await expect(call({ id: 'a', time: at, ...PREFIXED })).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: expect.stringContaining(message),
    });
    expect(emulator.requests).toEqual([]);
  });
});

describe('invoke: invalid payload', () => {
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
  ])('%s → throws InvalidRequest, and DDS is not asked', async (_, payload) => {
    await expect(call(payload)).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect(emulator.requests).toEqual([]);
  });
});
