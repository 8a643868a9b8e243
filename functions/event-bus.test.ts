import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import { DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import { awsService } from '../lib/aws/platform.ts';
import { environment } from '../test/support/emulated.ts';
import { call, lambdaContext, sample } from '../test/support/lambda.ts';
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
  const service = awsService({
    env: { ...environment(emulator), ...env },
    timing: { ...time, random: () => 1 },
    attemptMillis: 100,
  });
  const end = time.now().getTime() + 60_000;
  const context = lambdaContext(() => end - time.now().getTime());
  return call(eventBusHandler(service), event, context);
};

/** The first delivery that the message of an error states, for `deferred`. */
const FIRST_DELIVERY = 'first delivery 2026-02-03T04:05:07.000Z';

const event = (more: object = {}) => ({ ...sample('event-bus'), ...more });

const always = (refusal: keyof typeof refusals) => {
  emulator.faults.decide = ({ operation }) =>
    operation === 'create-backup' ? { kind: 'error', ...refusals[refusal] } : undefined;
};

describe('event-bus: valid event', () => {
  it('→ one backup; returns its ids, nothing else', async () => {
    const result = await deliver(event());
    const backup_id = emulator.backups[0]?.id;
    expect(result).toEqual({ job_id: expect.stringMatching(/^[0-9a-f-]{36}$/), backup_id });
    expect(emulator.backups[0]?.name).toMatch(/^before-migration-20260203T040506Z-[a-z2-7]{14}$/);
    expect(lines).toMatchObject([
      { level: 'info', event: 'request.accepted', trigger: 'event-bus', idempotency_key: event().id, backup_id },
    ]);
  });

  it('delivered again → replayed', async () => {
    await deliver(event());
    const backup_id = emulator.backups[0]?.id;
    time.advance(20 * 3_600_000);
    expect(await deliver(event())).toEqual({ backup_id });
    expect(emulator.backups).toHaveLength(1);
    expect(lines.at(-1)).toMatchObject({ event: 'request.replayed', backup_id });
  });

  it('delivered again too late to submit anything → replayed', async () => {
    await deliver(event());
    const backup_id = emulator.backups[0]?.id;
    time.advance(3 * 24 * 3_600_000);
    expect(await deliver(event())).toEqual({ backup_id });
    expect(emulator.requests.map(({ operation }) => operation)).toEqual([
      'create-backup',
      'list-backups',
      'list-backups',
    ]);
  });

  it('older than the maximum age and a day → DeadlinePassed, and nothing is submitted', async () => {
    await expect(deliver(event({ time: '2026-02-01T04:05:06Z' }))).rejects.toMatchObject({ name: 'DeadlinePassed' });
    expect(emulator.requests.map(({ operation }) => operation)).toEqual(['list-backups']);
    expect(lines).toMatchObject([{ level: 'warn', event: 'request.rejected', reason: 'DeadlinePassed' }]);
  });
});

describe('event-bus: DDS fails', () => {
  it.each([
    ['instanceBusy', 'InstanceBusy', 'request.rejected', ''],
    ['systemBusy', 'Throttled', 'request.rejected', ''],
    ['tooManyCalls', 'Throttled', 'request.rejected', ''],
    ['noSuchInstance', 'InstanceNotFound', 'request.rejected', ''],
    ['notPermitted', 'DdsRejected', 'request.rejected', ', retry later'],
    ['invalidRequest', 'DdsRejected', 'request.rejected', ', retry later'],
    ['permissionDenied', 'CredentialsRefused', 'request.failed', ''],
    ['serverError', 'DdsUnavailable', 'request.failed', ', outcome unknown'],
  ] as const)('%s → throws %s, logs %s, states "%s"', async (refusal, name, logged, flags) => {
    always(refusal);
    const { status, error_code, error_msg } = refusals[refusal];
    const message = `DDS answered ${status} ${error_code}: ${error_msg}`;
    await expect(deliver(event())).rejects.toMatchObject({
      name,
      message: expect.stringMatching(new RegExp(`^${message}.* \\[${FIRST_DELIVERY}${flags}\\]$`)),
    });
    expect(lines).toMatchObject([{ event: logged, reason: name, dds_code: error_code }]);
    expect(lines[0]?.message).not.toContain('first delivery');
  });

  it('name taken by another backup → throws BackupNameTaken', async () => {
    emulator.state.seedBackup({
      name: 'given',
      instance_id: DEMO_INSTANCE.id,
      begin: new Date('2026-02-01T00:00:00Z'),
    });
    const detail = { backup: { instance_id: DEMO_INSTANCE.id, name: 'given' } };
    await expect(deliver(event({ detail }))).rejects.toMatchObject({
      name: 'BackupNameTaken',
      message: expect.stringContaining(`has the name; it is COMPLETED. [${FIRST_DELIVERY}]`),
    });
  });

  it.each([
    [{ kind: 'reset', when: 'before' }, 'UpstreamUnreachable'],
    [{ kind: 'html', status: 200 }, 'UpstreamInvalid'],
    [{ kind: 'hang', when: 'before' }, 'UpstreamTimeout'],
  ] as const)('%o → throws %s, and the backup may exist', async (fault, name) => {
    emulator.faults.decide = () => fault;
    await expect(deliver(event())).rejects.toMatchObject({
      name,
      message: expect.stringMatching(new RegExp(`The backup may exist.* \\[${FIRST_DELIVERY}, outcome unknown\\]$`)),
    });
  });

  it('our key → throws CredentialsRefused', async () => {
    await expect(deliver(event(), { OTC_SDK_SK: 'wrong' })).rejects.toMatchObject({ name: 'CredentialsRefused' });
  });

  it('our configuration → throws ConfigurationError that names everything that is missing', async () => {
    await expect(deliver(event(), { OTC_SDK_SK: '', OTC_SDK_PROJECT_ID: '' })).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(/(?=.*OTC_SDK_PROJECT_ID)(?=.*OTC_SDK_SK)/),
    });
  });
});

describe('event-bus: invalid event', () => {
  it.each([
    ['null', null, '/id must be a string'],
    ['without detail', event({ detail: undefined }), '/ must be of type object'],
    ['with a detail that is text', event({ detail: '{}' }), '/ must be of type object'],
    [
      'with a request that breaks a rule',
      event({ detail: { backup: { instance_id: DEMO_INSTANCE.id, name: 'x' } } }),
      '/backup/name must have at least 4 characters',
    ],
    ['without an id', event({ id: undefined }), '/id must be a string'],
    ['with an empty id', event({ id: '' }), '/id must be a string'],
    ['without a time', event({ time: undefined }), '/time must be a time'],
    ['with a malformed time', event({ time: 'yesterday' }), '/time must be a time'],
    ['with a time in no calendar', event({ time: '2026-13-01T00:00:00Z' }), '/time must be a time'],
    ['with a time in milliseconds', event({ time: 1772366400000 }), '/time must be a time'],
    ['with a time beyond the year 9999', event({ time: '9999-12-31T23:59:59-23:59' }), '/time must be a time'],
  ])('%s → throws InvalidRequest, and DDS is not asked', async (_, event, message) => {
    await expect(deliver(event)).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: expect.stringContaining(message),
    });
    expect(emulator.requests).toEqual([]);
    expect(lines).toMatchObject([{ level: 'warn', event: 'request.rejected', reason: 'InvalidRequest' }]);
  });

  it('with a thousand violations → the message is short and complete', async () => {
    const backup = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field${i}`, i]));
    const failed = deliver(event({ detail: { backup } }));
    await expect(failed).rejects.toThrow(/; and 982 more \[first delivery [^\]]+\]$/);
    await expect(failed).rejects.toMatchObject({ message: expect.not.stringMatching(/.{1100}/) });
  });
});
