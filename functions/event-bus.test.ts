import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import { DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import { backupService } from '../lib/lambda/backup-service.ts';
import { environment } from '../test/support/emulated.ts';
import { lambdaContext, sample } from '../test/support/lambda.ts';
import { logLines } from '../test/support/log-lines.ts';
import { virtualTime } from '../test/support/virtual-time.ts';
import { eventBusHandler } from './event-bus.ts';

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
beforeEach(async () => {
  time = virtualTime('2026-02-03T04:05:07Z');
  emulator = await startEmulator({ clock: time.now });
});
afterEach(() => emulator.close());
const lines = logLines();

const deliver = (event: unknown, env: Record<string, string> = {}) => {
  const service = backupService({
    env: { ...environment(emulator), ...env },
    now: time.now,
    wait: time.wait,
    random: () => 1,
    attemptMillis: 100,
  });
  const end = time.now().getTime() + 60_000;
  return eventBusHandler(service)(
    event as never,
    lambdaContext(() => end - time.now().getTime()),
  );
};

const event = (more: object = {}) => ({ ...sample('event-bus'), ...more });

describe('an event', () => {
  it('becomes one backup and returns its ids, nothing else', async () => {
    const result = await deliver(event());
    expect(result).toEqual({ job_id: expect.stringMatching(/^[0-9a-f-]{36}$/), backup_id: emulator.backups[0]?.id });
    expect(emulator.backups[0]?.name).toMatch(/^before-migration-20260203T040506Z-[0-9a-f]{12}$/);
    expect(lines).toMatchObject([
      {
        level: 'info',
        event: 'backup.accepted',
        trigger: 'event-bus',
        trigger_id: event().id,
        backup_id: result.backup_id,
      },
    ]);
  });

  it('that is delivered again returns the same backup', async () => {
    const { backup_id } = await deliver(event());
    time.advance(20 * 3_600_000);
    expect(await deliver(event())).toEqual({ backup_id });
    expect(emulator.backups).toHaveLength(1);
    expect(lines.at(-1)).toMatchObject({ event: 'backup.recognised', backup_id });
  });
});

describe('a failure', () => {
  it.each([
    ['nameTaken', 'BackupNameTaken', 'refused'],
    ['instanceBusy', 'InstanceBusy', 'refused'],
    ['systemBusy', 'Throttled', 'refused'],
    ['tooManyCalls', 'Throttled', 'refused'],
    ['noSuchInstance', 'DdsRejected', 'refused'],
    ['notPermitted', 'DdsRejected', 'refused'],
    ['serverError', 'DdsUnavailable', 'failed'],
  ] as const)('of kind %s is thrown as %s, with the code and text of DDS', async (refusal, name, kind) => {
    emulator.faults.decide = ({ operation }) =>
      operation === 'create-backup' ? { kind: 'error', ...refusals[refusal] } : undefined;
    const { status, error_code, error_msg } = refusals[refusal];
    await expect(deliver(event())).rejects.toMatchObject({
      name,
      message: expect.stringContaining(`DDS answered ${status} ${error_code}: ${error_msg}`),
    });
    expect(lines).toMatchObject([{ event: `backup.${kind}`, error: name, dds_code: error_code }]);
  });

  it.each([
    [{ kind: 'reset', when: 'before' }, 'UpstreamUnreachable'],
    [{ kind: 'html', status: 200 }, 'UpstreamInvalid'],
    [{ kind: 'hang', when: 'before' }, 'UpstreamTimeout'],
  ] as const)('of kind %o is thrown as %s', async (fault, name) => {
    emulator.faults.decide = () => fault;
    await expect(deliver(event())).rejects.toMatchObject({
      name,
      message: expect.stringContaining('may have been accepted'),
    });
  });

  it('of our key is thrown as CredentialsRefused', async () => {
    await expect(deliver(event(), { OTC_SDK_SK: 'wrong' })).rejects.toMatchObject({ name: 'CredentialsRefused' });
  });

  it('of our configuration is thrown as ConfigurationError and names all that is missing', async () => {
    await expect(deliver(event(), { OTC_SDK_SK: '', OTC_SDK_PROJECT_ID: '' })).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(/OTC_SDK_PROJECT_ID.*OTC_SDK_SK/),
    });
  });
});

describe('an event that is none', () => {
  it.each([
    ['null', null, 'it must be of type object'],
    ['without detail', event({ detail: undefined }), 'it must be of type object'],
    ['with a detail that is text', event({ detail: '{}' }), 'it must be of type object'],
    [
      'with a request that breaks a rule',
      event({ detail: { backup: { instance_id: DEMO_INSTANCE.id, name: 'x' } } }),
      '/backup/name must have at least 4 characters',
    ],
    ['without an id', event({ id: undefined }), '/id must be a string'],
    ['with an empty id', event({ id: '' }), '/id must be a string'],
    ['without a time', event({ time: undefined }), '/time must be a time'],
    ['with a time that is none', event({ time: 'yesterday' }), '/time must be a time'],
    ['with a time in no calendar', event({ time: '2026-13-01T00:00:00Z' }), '/time must be a time'],
    ['with a time in milliseconds', event({ time: 1772366400000 }), '/time must be a time'],
    ['with a time beyond the year 9999', event({ time: '9999-12-31T23:59:59-23:59' }), '/time must be a time'],
  ])('%s is thrown as InvalidRequest, and DDS hears nothing', async (_, event, message) => {
    await expect(deliver(event)).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: expect.stringContaining(message),
    });
    expect(emulator.requests).toEqual([]);
    expect(lines).toMatchObject([{ level: 'warn', event: 'backup.refused', error: 'InvalidRequest' }]);
  });

  it('with a thousand violations has a message that can be read', async () => {
    const backup = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field${i}`, i]));
    const error: Error = await deliver(event({ detail: { backup } })).then(
      () => new Error('accepted'),
      (error) => error,
    );
    expect(error.message).toMatch(/and 982 more$/);
    expect(error.message.length).toBeLessThan(1000);
  });
});
