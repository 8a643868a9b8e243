import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../../emulator/dds/emulator.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import { DEMO_FAULTY_INSTANCE, DEMO_INSTANCE, DEMO_PROJECT_ID } from '../../emulator/dds/seed.ts';
import { environment } from '../../test/support/emulated.ts';
import { virtualTime } from '../../test/support/virtual-time.ts';
import { backupNames, type ValidEvent } from '../backup/trigger.ts';
import { Failure } from '../errors.ts';
import { createOrDefer, HANDOVER_MILLIS } from './deferral.ts';
import type { HandedOver } from './ports.ts';
import { backupService, type ServiceOptions } from './service.ts';

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
beforeEach(async () => {
  time = virtualTime();
  emulator = await startEmulator({ clock: time.now });
});
afterEach(() => emulator.close());

const eventOf = (request: Partial<ValidEvent['request']> = {}): ValidEvent => ({
  request: { backup: { instance_id: DEMO_INSTANCE.id, name_prefix: 'release' }, ...request },
  trigger: { kind: 'http', id: 'commit-1' },
});

function run(event = eventOf(), options: Partial<ServiceOptions> = {}, millis = 29_000) {
  const handed: HandedOver[] = [];
  const service = backupService({
    env: environment(emulator),
    timing: { ...time, random: () => 1 },
    readSecret: async () => '{}',
    publish: async () => {},
    notify: async () => {},
    handover: async (request) => void handed.push(request),
    ...options,
  });
  const end = time.now().getTime() + millis;
  const invocation = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => end - time.now().getTime() };
  return { handed, end, result: createOrDefer(service)(event, invocation) };
}

describe('createOrDefer', () => {
  it('backup can be made → accepted, nothing handed over', async () => {
    const { handed, result } = run();
    expect(await result).toMatchObject({ kind: 'accepted', backup_id: emulator.backups[0]?.id });
    expect(handed).toEqual([]);
  });

  it('instance busy → handed over, with the name and the deadline for the caller', async () => {
    const event = eventOf({ backup: { instance_id: DEMO_FAULTY_INSTANCE.id, name_prefix: 'release' } });
    const { handed, result } = run(event);
    const [name = ''] = backupNames(event);
    const error = { reason: 'InstanceBusy', name, attempts: 1, dds_status: 403, project_id: DEMO_PROJECT_ID };
    expect(await result).toMatchObject({
      kind: 'deferred',
      name,
      instance_id: DEMO_FAULTY_INSTANCE.id,
      not_after: '2026-03-02T12:00:00.000Z',
      error,
    });
    expect(handed).toMatchObject([{ event, firstDelivery: time.now(), outcomeUnknown: false, error }]);
  });

  it('not_after before the maximum age → that is the deadline', async () => {
    const not_after = '2026-03-01T14:00:00+01:00';
    const event = eventOf({ not_after, backup: { instance_id: DEMO_FAULTY_INSTANCE.id, name: 'release-7' } });
    expect(await run(event).result).toMatchObject({ name: 'release-7', not_after: '2026-03-01T13:00:00.000Z' });
  });

  it.each([
    ['throttled', { kind: 'error', ...refusals.systemBusy }, 'Throttled', false],
    ['silent', { kind: 'reset', when: 'before' }, 'UpstreamUnreachable', true],
    ['refusing our key', { kind: 'error', ...refusals.permissionDenied }, 'CredentialsRefused', false],
  ] as const)('DDS %s all the time → handed over five seconds before the end', async (_, fault, reason, unknown) => {
    emulator.control.decideFaults(() => fault);
    const { handed, result, end } = run();
    expect(await result).toMatchObject({ kind: 'deferred', error: { reason } });
    expect(handed).toMatchObject([{ outcomeUnknown: unknown, error: { reason } }]);
    expect(end - time.now().getTime()).toBeGreaterThanOrEqual(HANDOVER_MILLIS);
  });

  it('answer lost → handed over as an unknown outcome', async () => {
    emulator.control.decideFaults(({ operation }) =>
      operation === 'create-backup' ? { kind: 'reset', when: 'after' } : { kind: 'reset', when: 'before' },
    );
    const { handed, result } = run();
    expect(await result).toMatchObject({ kind: 'deferred', error: { outcome_unknown: true } });
    expect(handed).toMatchObject([{ outcomeUnknown: true }]);
    expect(emulator.backups).toHaveLength(1);
  });

  it.each([
    ['unknown instance', eventOf({ backup: { instance_id: 'unknown', name_prefix: 'release' } }), 'InstanceNotFound'],
    ['not_after has passed', eventOf({ not_after: '2026-03-01T11:00:00Z' }), 'DeadlinePassed'],
    ['not_after that no calendar has', eventOf({ not_after: '2026-02-30T11:00:00Z' }), 'InvalidRequest'],
    ['unknown project', eventOf({ project: 'unknown' }), 'InvalidRequest'],
  ])('%s → thrown, not handed over', async (_, event, name) => {
    const { handed, result } = run(event);
    await expect(result).rejects.toMatchObject({ name });
    expect(handed).toEqual([]);
  });

  it('no configuration → thrown, not handed over', async () => {
    const { handed, result } = run(eventOf(), { env: {} });
    await expect(result).rejects.toMatchObject({ name: 'ConfigurationError' });
    expect(handed).toEqual([]);
  });

  it('error that is not ours → thrown as it is', async () => {
    const error = new TypeError('a bug');
    const { result } = run(eventOf(), {
      platformCredentials: async () => {
        throw error;
      },
    });
    await expect(result).rejects.toBe(error);
  });

  it.each([new Failure('OutcomeUnknown', 'no answer'), new Error('of the platform')])(
    'not known to be queued (%s) → OutcomeUnknown with the name and what came first',
    async (cause) => {
      const event = eventOf({ backup: { instance_id: DEMO_FAULTY_INSTANCE.id, name_prefix: 'release' } });
      const { result } = run(event, { handover: () => Promise.reject(cause) });
      const [name = ''] = backupNames(event);
      const error = await result.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        name: 'OutcomeUnknown',
        cause,
        annotation: { name, project_id: DEMO_PROJECT_ID },
        message: expect.stringContaining(name),
      });
      expect(error).toMatchObject({ message: expect.stringContaining('First: DDS answered 403') });
    },
  );
});
