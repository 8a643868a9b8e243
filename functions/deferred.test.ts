import type { OperationUpdate } from '@aws/durable-execution-sdk-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runDurableExecution } from '../emulator/aws/durable-execution.ts';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import { awsService } from '../lib/aws/platform.ts';
import { Failure } from '../lib/errors.ts';
import type { BusEvent, Publisher } from '../lib/service/ports.ts';
import { startAws, throttled } from '../test/support/aws.ts';
import { environment } from '../test/support/emulated.ts';
import { call, lambdaContext, sample } from '../test/support/lambda.ts';
import { logLines } from '../test/support/log-lines.ts';
import { virtualTime } from '../test/support/virtual-time.ts';
import { deferredHandler } from './deferred.ts';
import { eventBusHandler } from './event-bus.ts';
import { httpHandler } from './http.ts';
import { invokeHandler } from './invoke.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const record = sample('deferred');
const instance_id = DEMO_INSTANCE.id;

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
let published: BusEvent[];
/** Those at the end of a request. */
const ends = () => published.filter(({ type }) => type === 'DDS Backup Request Failed');
beforeEach(async () => {
  time = virtualTime(record.timestamp);
  emulator = await startEmulator({ clock: time.now, backupMillis: 3 * HOUR });
  published = [];
});
afterEach(() => emulator.close());
const lines = logLines();

interface Run {
  readonly env?: Record<string, string>;
  readonly publish?: Publisher;
  readonly onCheckpoint?: (updates: readonly OperationUpdate[], when: 'before' | 'after') => void;
  /** How long Lambda takes to go on after a pause. */
  readonly delayMillis?: number;
}

const keep: Publisher = async (events) => void published.push(...events);

const serviceOf = (env: Record<string, string> = {}, publish = keep) =>
  awsService({
    env: { ...environment(emulator), ...env },
    publish,
    timing: {
      now: time.now,
      // Of the seconds within an attempt; the minutes between two are the execution's.
      wait: async (millis) => time.advance(millis),
      random: () => 1,
    },
    attemptMillis: 100,
  });

const invocation = (requestId?: string) => {
  const end = time.now().getTime() + MINUTE;
  return lambdaContext(() => end - time.now().getTime(), requestId);
};

const callEventBus = (event: unknown, requestId?: string) =>
  call(eventBusHandler(serviceOf()), event, invocation(requestId));
const callInvoke = (event: unknown, requestId?: string) =>
  call(invokeHandler(serviceOf()), event, invocation(requestId));

/** One execution to its end, and how long it waited for what. */
async function defer(payload: unknown, { env, publish, onCheckpoint = () => {}, delayMillis = 0 }: Run = {}) {
  const waits: [operation: string, minutes: number][] = [];
  const end = await runDurableExecution({
    handler: deferredHandler(serviceOf(env, publish)),
    payload,
    context: invocation,
    now: time.now,
    wait: async (millis, operation) => {
      waits.push([operation, millis / MINUTE]);
      time.advance(millis + delayMillis);
    },
    onCheckpoint,
  });
  return { ...end, waits };
}

const posts = () => emulator.requests.filter(({ operation }) => operation === 'create-backup');
const refuseNext = (...names: readonly (keyof typeof refusals)[]) =>
  emulator.faults.next(
    ...names.map((name) => ({ kind: 'error', ...refusals[name], operation: 'create-backup' }) as const),
  );
const always = (refusal: keyof typeof refusals) => {
  emulator.faults.decide = ({ operation }) =>
    operation === 'create-backup' ? { kind: 'error', ...refusals[refusal] } : undefined;
};
const failedWith = (errorType: string, errorMessage = 'it failed') => ({
  ...record,
  responsePayload: { errorType, errorMessage },
});
const recordOf = (requestPayload: unknown, more: object = {}) => ({ ...record, requestPayload, ...more });
/** Of `invoke`. */
const callContext = {
  ...record.requestContext,
  functionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:dds-backup-trigger-dev-invoke:$LATEST',
};
const recordOfCall = (requestPayload: unknown, more: object = {}) =>
  recordOf(requestPayload, { requestContext: callContext, ...more });
const events = () => lines.map(({ event }) => event);
const sumOf = (waits: readonly (readonly [string, number])[]) => waits.reduce((sum, [, minutes]) => sum + minutes, 0);

describe('deferred: instance was busy', () => {
  it('for three hours → one backup after pauses of 1, 2, 4, 8 and then 15 minutes', async () => {
    await callInvoke({ id: 'other', backup: { instance_id, name: 'runs-for-hours' } });
    const { status, result, waits } = await defer(record);

    const [backup] = emulator.backups;
    expect(result).toEqual({ job_id: expect.any(String), backup_id: backup?.id });
    expect(status).toBe('SUCCEEDED');
    expect(emulator.backups.map(({ name, status }) => [name.slice(0, 33), status])).toEqual([
      ['before-migration-20260203T040506Z', 'BUILDING'],
      ['runs-for-hours', 'COMPLETED'],
    ]);
    expect(waits).toEqual([1, 2, 4, 8, ...Array(11).fill(15)].map((minutes, i) => [`pause-${i + 1}`, minutes]));
    expect(sumOf(waits)).toBe(180);
    // One for the backup that ran, one after each pause.
    expect(posts()).toHaveLength(1 + waits.length);
    expect(ends()).toEqual([]);
  });

  it('→ the deferral is published', async () => {
    refuseNext('instanceBusy');
    await defer(record);
    expect(published).toEqual([
      {
        type: 'DDS Backup Request Deferred',
        time: new Date(record.timestamp),
        detail: {
          id: expect.stringMatching(/^arn:aws:lambda:.*durable-execution.*-deferred$/),
          trigger: 'event-bus',
          idempotency_key: record.requestPayload.id,
          instance_id,
          name: emulator.backups[0]?.name,
          since: record.timestamp,
          request_id: record.requestContext.requestId,
          reason: 'InstanceBusy',
          message: record.responsePayload.errorMessage,
          dds_code: 'DBS.201015',
          next_attempt: '2026-02-03T04:06:08.412Z',
          not_after: '2026-02-04T04:05:08.412Z',
        },
      },
    ]);
  });

  it('bus takes no event → logged, and retried all the same', async () => {
    const publish = async () => {
      throw new Failure('PublishFailed', 'no such bus');
    };
    const { status } = await defer(record, { publish });
    expect(status).toBe('SUCCEEDED');
    expect(lines).toMatchObject([{ event: 'publish.failed', reason: 'PublishFailed' }, { event: 'request.accepted' }]);
  });

  it('→ a line for each attempt, with the reason and the next one, under the original idempotency key', async () => {
    refuseNext('instanceBusy');
    await defer(record);
    const original = {
      trigger: 'event-bus',
      idempotency_key: record.requestPayload.id,
      instance_id,
      since: record.timestamp,
      request_id: record.requestContext.requestId,
    };
    expect(lines).toMatchObject([
      {
        ...original,
        level: 'info',
        event: 'request.deferred',
        reason: 'InstanceBusy',
        dds_code: 'DBS.201015',
        attempt: 1,
        next_attempt: '2026-02-03T04:08:08.412Z',
      },
      { ...original, level: 'info', event: 'request.accepted', backup_id: emulator.backups[0]?.id },
    ]);
  });

  it('an earlier delivery made the backup → replayed', async () => {
    await callEventBus(record.requestPayload);
    const { result } = await defer(record);
    expect(result).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(emulator.backups).toHaveLength(1);
    expect(events()).toEqual(['request.accepted', 'request.replayed']);
  });
});

describe('deferred: failure that may pass', () => {
  it.each([
    ['systemBusy', 'Throttled'],
    ['tooManyCalls', 'Throttled'],
    ['serverError', 'DdsUnavailable'],
    ['permissionDenied', 'CredentialsRefused'],
    ['invalidRequest', 'DdsRejected'],
    ['notPermitted', 'DdsRejected'],
  ] as const)('%s for ten minutes → retried', async (refusal, reason) => {
    const until = Date.parse(record.timestamp) + 10 * MINUTE;
    emulator.faults.decide = () => (time.now().getTime() < until ? { kind: 'error', ...refusals[refusal] } : undefined);
    const trailer = `[first delivery ${record.timestamp}${reason === 'DdsRejected' ? ', retry later' : ''}]`;
    const { status, waits } = await defer(failedWith(reason, `refused ${trailer}`));
    expect(status).toBe('SUCCEEDED');
    expect(waits.length).toBeGreaterThan(1);
    expect(emulator.backups).toHaveLength(1);
  });

  it.each([
    ['300', 5],
    ['3600', 15],
    ['999999999', 15],
    ['Tue, 03 Feb 2026 04:16:08 GMT', 10],
  ])('Retry-After: %s → a pause of %i minutes, at most 15', async (retryAfter, minutes) => {
    const { tooManyCalls } = refusals;
    emulator.faults.next({ kind: 'error', ...tooManyCalls, headers: { 'retry-after': retryAfter } });
    const { waits } = await defer(record);
    expect(waits).toEqual([
      ['pause-1', 1],
      ['pause-2', expect.closeTo(minutes, 1)],
    ]);
  });

  it('wrong key → retried until the maximum age', async () => {
    await emulator.close();
    emulator = await startEmulator({ clock: time.now, credentials: [] });
    const { error } = await defer(record, { env: { MAX_REQUEST_AGE_HOURS: '0.1' } });
    expect(error?.ErrorType).toBe('CredentialsRefused');
    expect(events().slice(0, -1)).toEqual(Array(events().length - 1).fill('request.deferred'));
    expect(events().at(-1)).toBe('request.failed');
    expect(ends()).toMatchObject([{ type: 'DDS Backup Request Failed', detail: { reason: 'CredentialsRefused' } }]);
  });

  it.each(['UpstreamTimeout', 'OutcomeUnknown'])('%s → retried', async (reason) => {
    emulator.faults.next(...Array(6).fill({ kind: 'hang', when: 'before' }));
    const { status } = await defer(failedWith(reason));
    expect(status).toBe('SUCCEEDED');
    expect(emulator.backups).toHaveLength(1);
  });

  it('function that could not be started → retried', async () => {
    const { responsePayload: _, responseContext: __, ...unstarted } = record;
    const { status } = await defer({
      ...unstarted,
      requestContext: { ...record.requestContext, condition: 'EventAgeExceeded' },
    });
    expect(status).toBe('SUCCEEDED');
    expect(events()).toEqual(['request.accepted']);
  });

  it('name taken, but listed nowhere → an unknown outcome, retried until the list shows the backup', async () => {
    await callEventBus(record.requestPayload);
    const hiddenUntil = time.now().getTime() + 10 * MINUTE;
    emulator.faults.decide = ({ operation }) =>
      operation === 'list-backups' && time.now().getTime() < hiddenUntil
        ? { kind: 'json', body: { backups: [], total_count: 0 } }
        : undefined;
    const { result } = await defer(record);
    expect(result).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(lines.filter(({ event }) => event === 'request.deferred').map(({ reason }) => reason)).toEqual(
      Array(3).fill('OutcomeUnknown'),
    );
    expect(events().at(-1)).toBe('request.replayed');
  });

  it('secret that cannot be read for a moment → retried', async () => {
    const back = time.now().getTime() + 4 * MINUTE;
    await using aws = await startAws({ clock: time.now, secrets: { dds: JSON.stringify(DEMO_CREDENTIALS) } });
    aws.decide = () => (time.now().getTime() < back ? throttled : undefined);
    const { status, waits } = await defer(failedWith('SecretUnavailable'), {
      env: { ...aws.env, OTC_SDK_AK: '', OTC_SDK_SK: '', OTC_CREDENTIALS_SECRET: 'dds' },
    });
    expect(status).toBe('SUCCEEDED');
    expect(waits.length).toBeGreaterThan(1);
    expect(lines[0]).toMatchObject({ event: 'request.deferred', reason: 'SecretUnavailable' });
    expect(events().at(-1)).toBe('request.accepted');
  });
});

describe('deferred: ambiguous refusal', () => {
  const UNKNOWN_CONFLICT = { status: 409, error_code: 'DBS.999999', error_msg: 'Conflict.' };

  it.each([
    ['DBS.280042', refusals.invalidRequest],
    ['DBS.212003', refusals.notPermitted],
    ['409 with an unknown code', UNKNOWN_CONFLICT],
  ])('%s for longer → retried for an hour, then DdsRejected', async (_, refusal) => {
    emulator.faults.decide = ({ operation }) =>
      operation === 'create-backup' ? { kind: 'error', ...refusal } : undefined;
    const { error, waits } = await defer(record);
    expect(error?.ErrorType).toBe('DdsRejected');
    expect(sumOf(waits)).toBeGreaterThan(58);
    expect(sumOf(waits)).toBeLessThanOrEqual(60);
    expect(ends()).toMatchObject([{ detail: { reason: 'DdsRejected', dds_code: refusal.error_code } }]);
  });

  it('other unknown codes → final', async () => {
    emulator.faults.decide = () => ({ kind: 'error', ...UNKNOWN_CONFLICT, status: 400 });
    const { error, waits } = await defer(record);
    expect(error?.ErrorType).toBe('DdsRejected');
    expect(waits).toEqual([['pause-1', 1]]);
  });

  it('in the record, without the statement to retry later → final', async () => {
    const { error, waits } = await defer(failedWith('DdsRejected', 'DDS answered 403 DBS.280042: Invalid request.'));
    expect(error?.ErrorType).toBe('DdsRejected');
    expect(waits).toEqual([]);
  });
});

describe('deferred: crash of the function', () => {
  it.each([
    ['Sandbox.Timedout', 'RequestId: e4b46cbf Error: Task timed out after 60.00 seconds'],
    ['Runtime.ExitError', 'RequestId: e4b46cbf Error: Runtime exited with error: signal: killed'],
    ['TypeError', 'x is not a function'],
  ])('%s → logged once, since the function could not, and retried', async (errorType, message) => {
    const busyUntil = time.now().getTime() + 2 * MINUTE;
    emulator.faults.decide = ({ operation }) =>
      operation === 'create-backup' && time.now().getTime() < busyUntil
        ? { kind: 'error', ...refusals.instanceBusy }
        : undefined;
    const { status } = await defer(failedWith(errorType, message));
    expect(status).toBe('SUCCEEDED');
    expect(events()).toEqual(['request.failed', 'request.deferred', 'request.accepted']);
    // The crash may have made the backup.
    expect(lines[1]).toMatchObject({ reason: 'OutcomeUnknown' });
    const { requestId } = record.requestContext;
    expect(lines[0]).toMatchObject({ level: 'error', reason: errorType, request_id: requestId, trigger: 'event-bus' });
    expect(JSON.stringify(lines)).not.toContain(message);
  });

  it('without a type → logged as Unhandled', async () => {
    const errorMessage = 'RequestId: e4b46cbf Process exited before completing request';
    const { status } = await defer({ ...record, responsePayload: { errorMessage } });
    expect(status).toBe('SUCCEEDED');
    expect(lines).toMatchObject([{ event: 'request.failed', reason: 'Unhandled' }, { event: 'request.accepted' }]);
  });

  it('after the effect → replayed', async () => {
    await callEventBus(record.requestPayload);
    const { result } = await defer(failedWith('Sandbox.Timedout'));
    expect(result).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(emulator.backups).toHaveLength(1);
  });
});

describe('deferred: permanent failure', () => {
  it.each(['InvalidRequest', 'BackupNameTaken', 'BackupFailed', 'DeadlinePassed', 'DdsRejected', 'ConfigurationError'])(
    '%s → ends at once, logged and published, and DDS is not asked',
    async (reason) => {
      const message = 'DDS answered 400 DBS.201201: it is taken';
      const { status, error, waits } = await defer(failedWith(reason, message));
      expect(status).toBe('FAILED');
      expect(error).toMatchObject({ ErrorType: reason, ErrorMessage: message });
      expect(waits).toEqual([]);
      expect(emulator.requests).toEqual([]);
      expect(ends()).toEqual([
        {
          type: 'DDS Backup Request Failed',
          time: time.now(),
          detail: {
            id: expect.stringMatching(/^arn:aws:lambda:.*durable-execution/),
            trigger: 'event-bus',
            idempotency_key: record.requestPayload.id,
            instance_id,
            name: expect.stringMatching(/^before-migration-20260203T040506Z-[a-z2-7]{14}$/),
            since: record.timestamp,
            request_id: record.requestContext.requestId,
            reason,
            message,
            dds_code: 'DBS.201201',
            attempts: 1,
          },
        },
      ]);
      expect(lines).toMatchObject([{ reason, dds_code: 'DBS.201201', trigger: 'event-bus', attempts: 1 }]);
    },
  );

  it('at a later attempt → ends there', async () => {
    refuseNext('instanceBusy', 'noSuchInstance');
    const { error } = await defer(record);
    expect(error).toMatchObject({
      ErrorType: 'InstanceNotFound',
      ErrorMessage: `After 3 attempts since ${record.timestamp}: DDS answered 404 DBS.200002: The DB instance does not exist.`,
    });
    expect(ends()).toMatchObject([{ detail: { reason: 'InstanceNotFound', dds_code: 'DBS.200002', attempts: 3 } }]);
    expect(events()).toEqual(['request.deferred', 'request.rejected']);
  });

  it('name taken by another backup → ends, and the event has what is known of that backup', async () => {
    const named = { backup: { instance_id, name: 'before-import' } };
    const begin = new Date('2026-01-01T00:00:00Z');
    const { id } = emulator.state.seedBackup({ name: 'before-import', instance_id, begin });
    await defer(recordOfCall(named));
    const backup = { id, name: 'before-import', instance_id, status: 'COMPLETED', began_at: '2026-01-01T00:00:00Z' };
    expect(ends()).toMatchObject([{ detail: { reason: 'BackupNameTaken', attempts: 2, backup } }]);
  });

  it('our own configuration → ends at once', async () => {
    const { error, waits } = await defer(record, { env: { OTC_SDK_PROJECT_ID: '' } });
    expect(error?.ErrorType).toBe('ConfigurationError');
    expect(waits).toEqual([]);
  });

  it.each(['-1', '0', 'a day', '0x10', '10000'])('MAX_REQUEST_AGE_HOURS of %j → ConfigurationError', async (hours) => {
    const { error } = await defer(record, { env: { MAX_REQUEST_AGE_HOURS: hours } });
    expect(error).toMatchObject({
      ErrorType: 'ConfigurationError',
      ErrorMessage: expect.stringContaining('MAX_REQUEST_AGE_HOURS'),
    });
    expect(ends()).toHaveLength(1);
    expect(emulator.requests).toEqual([]);
  });
});

describe('deferred: deadline', () => {
  it('busy all day → ends after 24 hours, with the last answer of DDS', async () => {
    always('instanceBusy');
    const { status, error, waits } = await defer(record);
    expect(sumOf(waits)).toBeGreaterThan(24 * 60 - 2);
    expect(sumOf(waits)).toBeLessThanOrEqual(24 * 60);
    expect(status).toBe('FAILED');
    expect(error).toMatchObject({
      ErrorType: 'InstanceBusy',
      ErrorMessage: `After ${waits.length + 1} attempts since ${record.timestamp}: DDS answered 403 DBS.201015: ${refusals.instanceBusy.error_msg}`,
    });
    expect(ends()).toMatchObject([
      {
        detail: { reason: 'InstanceBusy', dds_code: 'DBS.201015', attempts: waits.length + 1, since: record.timestamp },
      },
    ]);
    expect(events().filter((event) => event !== 'request.deferred')).toEqual(['request.rejected']);
    expect(emulator.backups).toEqual([]);
  }, 20_000);

  it.each([
    ['MAX_REQUEST_AGE_HOURS', record, { MAX_REQUEST_AGE_HOURS: '0.15' }],
    [
      'not_after',
      recordOf({
        ...record.requestPayload,
        detail: { ...record.requestPayload.detail, not_after: '2026-02-03T04:14:08.5Z' },
      }),
      {},
    ],
  ])('%s → the last pause is shortened, so that the last attempt still submits', async (_, payload, env) => {
    always('instanceBusy');
    // Lambda goes on a little late.
    const { waits, error } = await defer(payload, { env, delayMillis: 300 });
    expect(waits.map(([operation]) => operation)).toEqual(['pause-1', 'pause-2', 'pause-3', 'pause-4']);
    expect(sumOf(waits)).toBeGreaterThan(8);
    expect(sumOf(waits)).toBeLessThan(9);
    expect(posts()).toHaveLength(4);
    expect(error?.ErrorType).toBe('InstanceBusy');
  });

  it('late record → counts from the first delivery; the backup is looked up, nothing is submitted', async () => {
    time.advance(24.5 * HOUR);
    const { waits, error } = await defer(record);
    expect(waits).toEqual([]);
    expect(error?.ErrorType).toBe('DeadlinePassed');
    expect(posts()).toHaveLength(0);
  });

  it('late record, backup made in time → replayed', async () => {
    await callEventBus(record.requestPayload);
    time.advance(24.5 * HOUR);
    expect((await defer(record)).result).toEqual({ backup_id: emulator.backups[0]?.id });
  });

  it('stated first delivery → counts from there', async () => {
    always('instanceBusy');
    const first = new Date(Date.parse(record.timestamp) - 23 * HOUR).toISOString();
    const { waits } = await defer(failedWith('InstanceBusy', `busy [first delivery ${first}]`));
    expect(sumOf(waits)).toBeLessThanOrEqual(60);
    expect(sumOf(waits)).toBeGreaterThan(58);
  });
});

describe('deferred: killed invocation', () => {
  const step = ({ Name, Action }: OperationUpdate) => `${Name} ${Action}`;
  const killOnce = (at: string, moment: 'before' | 'after') => {
    let isKilled = false;
    return (updates: readonly OperationUpdate[], when: 'before' | 'after') => {
      if (isKilled || when !== moment || !updates.some((update) => step(update) === at)) return;
      isKilled = true;
      throw new Error('the sandbox is gone');
    };
  };

  it.each(['before', 'after'] as const)('%s the checkpoint of the backup → one backup', async (moment) => {
    const { status, result, invocations } = await defer(record, {
      onCheckpoint: killOnce('attempt-1 SUCCEED', moment),
    });
    expect(status).toBe('SUCCEEDED');
    expect(invocations).toBe(3);
    expect(result).toMatchObject({ backup_id: emulator.backups[0]?.id });
    expect(emulator.backups).toHaveLength(1);
    expect(posts()).toHaveLength(moment === 'before' ? 2 : 1);
    expect(events()).toEqual(['request.accepted', ...(moment === 'before' ? ['request.replayed'] : [])]);
  });

  it('before that checkpoint, under a given name without a time → replayed', async () => {
    const named = recordOfCall({ backup: { instance_id, name: 'before-import' } });
    const { result } = await defer(named, { onCheckpoint: killOnce('attempt-1 SUCCEED', 'before') });
    expect(result).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(events()).toEqual(['request.accepted', 'request.replayed']);
    expect(emulator.backups).toHaveLength(1);
  });

  it.each(['before', 'after'] as const)('%s the checkpoint of a refusal → one backup', async (moment) => {
    refuseNext('instanceBusy');
    const { status, waits } = await defer(record, { onCheckpoint: killOnce('attempt-1 SUCCEED', moment) });
    expect(status).toBe('SUCCEEDED');
    // What was not kept runs again at once.
    expect(waits.map(([operation]) => operation)).toEqual(moment === 'before' ? ['pause-1'] : ['pause-1', 'pause-2']);
    expect(emulator.backups).toHaveLength(1);
  });

  it('after publishing → published again under the same id', async () => {
    const { status } = await defer(failedWith('DdsRejected'), {
      onCheckpoint: killOnce('publish-rejection SUCCEED', 'before'),
    });
    expect(status).toBe('FAILED');
    const ids = ends().map(({ detail }) => detail.id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  it('at every attempt → OutcomeUnknown, an hour after the deadline', async () => {
    const startedAt: number[] = [];
    const { status, error } = await defer(record, {
      onCheckpoint: (updates, when) => {
        const isAttempt = updates.some((update) => step(update) === 'attempt-1 SUCCEED');
        if (when !== 'before' || !isAttempt) return;
        startedAt.push(time.now().getTime() - Date.parse(record.timestamp));
        if ((startedAt.at(-1) ?? 0) > 25 * HOUR) return;
        time.advance(4 * HOUR);
        throw new Error('the sandbox is gone');
      },
    });
    expect(status).toBe('FAILED');
    expect(error).toMatchObject({
      ErrorType: 'OutcomeUnknown',
      ErrorMessage: expect.stringContaining('Every attempt was ended from outside'),
    });
    expect(startedAt.at(-1)).toBeGreaterThan(25 * HOUR);
    expect(startedAt.at(-1)).toBeLessThan(30 * HOUR);
    expect(ends()).toMatchObject([{ type: 'DDS Backup Request Failed', detail: { reason: 'OutcomeUnknown' } }]);
  });
});

describe('deferred: given name, payload without a time', () => {
  const named = { backup: { instance_id, name: 'before-import' } };

  it('answer lost in the original invocation → replayed', async () => {
    time.advance(-30 * SECOND);
    emulator.faults.decide = ({ operation }) =>
      operation === 'create-backup' ? { kind: 'hang', when: 'after' } : { kind: 'reset', when: 'before' };
    const failed: unknown = await callInvoke(named).catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: expect.stringMatching(/^Upstream|^OutcomeUnknown/) });
    emulator.faults.clear();
    const { name, message } = failed instanceof Error ? failed : new Error();
    const { result } = await defer(
      recordOfCall(named, { responsePayload: { errorType: name, errorMessage: message } }),
    );
    expect(result).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(emulator.backups).toHaveLength(1);
  });

  it('answer lost here → replayed', async () => {
    emulator.faults.next({ kind: 'reset', when: 'after', operation: 'create-backup' });
    const { result } = await defer(recordOfCall(named));
    expect(result).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(emulator.backups).toHaveLength(1);
  });

  it('older backup of that name → BackupNameTaken', async () => {
    time.advance(-5 * MINUTE);
    await callInvoke(named);
    time.advance(5 * MINUTE);
    const { error } = await defer(recordOfCall(named));
    expect(error?.ErrorType).toBe('BackupNameTaken');
    expect(emulator.backups).toHaveLength(1);
  });
});

describe('deferred: two calls for one name, without a time, half a minute apart', () => {
  const payload = { backup: { instance_id, name: 'before-import' } };
  beforeEach(async () => {
    time.advance(-30 * SECOND);
    await callInvoke(payload);
    time.advance(30 * SECOND);
  });

  it.each(['InstanceBusy', 'Throttled', 'CredentialsRefused', 'SecretUnavailable'])(
    'second failed with %s, which is known to make no backup → BackupNameTaken',
    async (name) => {
      const { error } = await defer(
        recordOfCall(payload, { responsePayload: { errorType: name, errorMessage: 'none' } }),
      );
      expect(error?.ErrorType).toBe('BackupNameTaken');
      expect(emulator.backups).toHaveLength(1);
    },
  );

  it.each(['UpstreamTimeout', 'DdsUnavailable', 'OutcomeUnknown', 'Sandbox.Timedout', 'Runtime.ExitError'])(
    'second failed with %s, which leaves it open → taken for one',
    async (name) => {
      const { result } = await defer(
        recordOfCall(payload, { responsePayload: { errorType: name, errorMessage: 'open' } }),
      );
      expect(result).toEqual({ backup_id: emulator.backups[0]?.id });
    },
  );

  it.each([
    ['outcome known', '', 'BackupNameTaken'],
    ['outcome unknown', ', outcome unknown', undefined],
  ])('stated first delivery, %s → that decides', async (_, flag, reason) => {
    const stated = new Date(time.now().getTime() - (flag ? 31 : 20) * SECOND).toISOString();
    const message = `any text [first delivery ${stated}${flag}]`;
    const { error } = await defer(
      recordOfCall(payload, { responsePayload: { errorType: 'UpstreamTimeout', errorMessage: message } }),
    );
    expect(error?.ErrorType).toBe(reason);
  });
});

describe('deferred: idempotency key', () => {
  const prefixed = { backup: { instance_id, name_prefix: 'nightly' } };

  it.each([
    ['an event', callEventBus, record.requestPayload],
    ['a call with an id', callInvoke, { id: 'import-1', ...prefixed }],
    ['the schedule', callInvoke, { ...sample('schedule'), time: '2026-02-03T04:00:00Z' }],
    ['a call without an id', callInvoke, prefixed],
  ])('%s → that of the original invocation', async (_, deliver, payload) => {
    await deliver(payload, record.requestContext.requestId);
    const { result } = await defer(deliver === callInvoke ? recordOfCall(payload) : record);
    expect(result).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(lines.at(-1)).toMatchObject({ trigger: lines[0]?.trigger, idempotency_key: lines[0]?.idempotency_key });
  });

  it.each([
    ['31 days before it failed', -31 * 24 * HOUR, 'DeadlinePassed'],
    ['longer before', -31 * 24 * HOUR - 1, 'InvalidRequest'],
    ['a day before it failed', -24 * HOUR, undefined],
    ['five minutes ahead', 5 * MINUTE, undefined],
    ['further ahead', 5 * MINUTE + 1, 'InvalidRequest'],
  ])('time %s → judged as of the failure', async (_, offset, reason) => {
    time.advance(20 * HOUR);
    const at = new Date(Date.parse(record.timestamp) + offset).toISOString();
    const { error } = await defer(recordOfCall({ id: 'a', time: at, ...prefixed }));
    expect(error?.ErrorType).toBe(reason);
  });
});

describe('deferred: request that http handed over', () => {
  const payloadOf = async (request: object) => {
    always('instanceBusy');
    await using aws = await startAws({ clock: time.now });
    const event = {
      headers: { 'content-type': 'application/json', 'idempotency-key': 'pipeline-1', prefer: 'respond-async' },
      body: JSON.stringify(request),
      requestContext: { requestId: 'r', authorizer: { iam: { userArn: 'arn:aws:iam::1:user/u' } } },
    };
    await call(httpHandler(serviceOf({ ...aws.env, DEFERRED_FUNCTION: 'deferred' })), event, invocation());
    emulator.faults.clear();
    lines.splice(0);
    return aws.invocations[0]?.payload;
  };

  it('→ one backup under the key of the caller', async () => {
    const payload = await payloadOf({ backup: { instance_id, name_prefix: 'ci' } });
    expect(await defer(payload)).toMatchObject({ status: 'SUCCEEDED', waits: [['pause-1', 1]] });
    expect(emulator.backups).toMatchObject([{ name: expect.stringMatching(/^ci-[a-z2-7]{14}$/) }]);
    expect(lines).toMatchObject([{ event: 'request.accepted', trigger: 'http', idempotency_key: 'pipeline-1' }]);
    expect(published).toMatchObject([{ type: 'DDS Backup Request Deferred', detail: { reason: 'InstanceBusy' } }]);
  });

  it('not_after passes while the instance is busy → published as failed', async () => {
    const payload = await payloadOf({ backup: { instance_id, name: 'given' }, not_after: '2026-02-03T04:07:08Z' });
    always('instanceBusy');
    const { error, waits } = await defer(payload);
    expect(error?.ErrorType).toBe('InstanceBusy');
    expect(sumOf(waits)).toBeLessThan(2);
    expect(ends()).toMatchObject([{ detail: { reason: 'InstanceBusy', trigger: 'http', name: 'given' } }]);
  });

  it('malformed payload → InvalidRequest', async () => {
    const { error } = await defer({ handed_over: { request: {} } });
    expect(error?.ErrorType).toBe('InvalidRequest');
    expect(ends()).toMatchObject([{ detail: { reason: 'InvalidRequest' } }]);
  });
});

describe('deferred: invalid record', () => {
  const noArn = { ...record.requestContext, functionArn: undefined };

  it.each([
    ['null', null, '/requestPayload is required'],
    ['text', 'InstanceBusy', '/requestPayload is required'],
    ['the event itself', record.requestPayload, '/requestPayload is required'],
    ['no payload', recordOf(undefined), '/requestPayload is required'],
    ['no timestamp', recordOf(record.requestPayload, { timestamp: undefined }), '/timestamp is required'],
    ['a malformed timestamp', recordOf(record.requestPayload, { timestamp: 'now' }), '/timestamp is required'],
    ['no request', recordOf(record.requestPayload, { requestContext: {} }), '/requestContext/requestId is required'],
    [
      'a request that breaks a rule',
      recordOf({ backup: { instance_id } }, { requestContext: noArn }),
      'must have name or name_prefix',
    ],
    ['a payload of null', recordOf(null, { requestContext: noArn }), '/ must be of type object'],
    ['an event without an id', recordOf({ ...record.requestPayload, id: 7 }), '/id must be a string'],
    [
      'a call, by the function that failed',
      recordOf({ backup: { instance_id, name: 'given' } }),
      '/id must be a string',
    ],
  ])('%s → InvalidRequest, logged and published, and DDS is not asked', async (_, event, message) => {
    const { status, error } = await defer(event);
    expect(status).toBe('FAILED');
    expect(error).toMatchObject({ ErrorType: 'InvalidRequest', ErrorMessage: expect.stringContaining(message) });
    expect(emulator.requests).toEqual([]);
    expect(ends()).toMatchObject([{ type: 'DDS Backup Request Failed', detail: { reason: 'InvalidRequest' } }]);
    expect(lines).toMatchObject([{ level: 'warn', event: 'request.rejected', reason: 'InvalidRequest' }]);
  });

  it('without the id of its request → published without idempotency key and name', async () => {
    await defer(recordOf({ backup: { instance_id, name_prefix: 'nightly' } }, { requestContext: {} }));
    expect(ends()).toMatchObject([{ detail: { trigger: 'invoke', instance_id } }]);
    expect(ends()[0]?.detail).not.toHaveProperty('name');
    expect(ends()[0]?.detail.idempotency_key).toBeUndefined();
    expect(lines[0]?.idempotency_key).toBeUndefined();
  });
});

describe('deferred: bus takes no event', () => {
  it('→ published again three times; the execution fails with the reason of the request', async () => {
    let asked = 0;
    const publish = async () => {
      asked += 1;
      throw new Error('no such bus');
    };
    const message = 'DDS answered 404 DBS.200002: none';
    const { status, error, waits } = await defer(failedWith('DdsRejected', message), { publish });
    expect(asked).toBe(4);
    expect(waits).toEqual([4, 16, 64].map((seconds) => ['publish-rejection', seconds / 60]));
    expect(status).toBe('FAILED');
    expect(error).toMatchObject({ ErrorType: 'DdsRejected', ErrorMessage: message });
    expect(events()).toEqual(['request.rejected', ...Array(4).fill('publish.failed')]);
  });
});

describe('deferred: unexpected error', () => {
  it('→ logged at once, without its text, and retried', async () => {
    always('systemBusy');
    const service = awsService({
      env: { ...environment(emulator), MAX_REQUEST_AGE_HOURS: '0.06' },
      publish: keep,
      timing: {
        now: time.now,
        wait: async () => {
          throw new RangeError('it may quote anything');
        },
        random: () => 1,
      },
    });
    const { error, operations } = await runDurableExecution({
      handler: deferredHandler(service),
      payload: record,
      context: invocation,
      now: time.now,
      wait: async (millis) => time.advance(millis),
    });
    expect(events().slice(0, 2)).toEqual(['request.failed', 'request.deferred']);
    expect(events().at(-1)).toBe('request.failed');
    expect(error).toMatchObject({
      ErrorType: 'Unexpected',
      ErrorMessage: expect.stringContaining('An unexpected error'),
    });
    expect(ends()).toMatchObject([{ detail: { reason: 'Unexpected', attempts: 4 } }]);
    expect(JSON.stringify([lines, published, error, operations])).not.toContain('quote');
  });
});
