import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OperationUpdate } from '@aws/durable-execution-sdk-js';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { runDurableExecution } from '../emulator/aws/durable-execution.ts';
import { type Emulator, startEmulator } from '../emulator/dds/emulator.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import { DEMO_CREDENTIALS, DEMO_INSTANCE } from '../emulator/dds/seed.ts';
import type { Announcement } from '../lib/lambda/announce.ts';
import { backupService } from '../lib/lambda/backup-service.ts';
import { environment } from '../test/support/emulated.ts';
import { lambdaContext, sample } from '../test/support/lambda.ts';
import { logLines } from '../test/support/log-lines.ts';
import { virtualTime } from '../test/support/virtual-time.ts';
import { deferredHandler } from './deferred.ts';
import { eventBusHandler } from './event-bus.ts';
import { invokeHandler } from './invoke.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const record = sample('deferred');
const instance_id = DEMO_INSTANCE.id;

let time: ReturnType<typeof virtualTime>;
let emulator: Emulator;
let announced: Announcement[];
beforeEach(async () => {
  time = virtualTime(record.timestamp);
  emulator = await startEmulator({ clock: time.now, backupMillis: 3 * HOUR });
  announced = [];
});
afterEach(() => emulator.close());
const lines = logLines();

interface Run {
  readonly env?: Record<string, string>;
  readonly announce?: (announcements: readonly Announcement[]) => Promise<void>;
  readonly onCheckpoint?: (updates: readonly OperationUpdate[], when: 'before' | 'after') => void;
}

const serviceOf = (env: Record<string, string> = {}) =>
  backupService({
    env: { ...environment(emulator), ...env },
    now: time.now,
    // Of the seconds within an attempt; the minutes between two are the execution's.
    wait: async (millis) => time.advance(millis),
    random: () => 1,
    attemptMillis: 50,
  });

const invocation = (requestId?: string) => {
  const end = time.now().getTime() + MINUTE;
  return lambdaContext(() => end - time.now().getTime(), requestId);
};

/** One execution to its end, and how long it waited for what. */
async function defer(payload: unknown, { env = {}, announce, onCheckpoint = () => {} }: Run = {}) {
  const waits: [operation: string, minutes: number][] = [];
  const keep = async (announcements: readonly Announcement[]) => void announced.push(...announcements);
  const end = await runDurableExecution({
    handler: deferredHandler(serviceOf(env), announce ?? keep, env),
    payload,
    context: invocation,
    now: time.now,
    wait: async (millis, operation) => {
      waits.push([operation, millis / MINUTE]);
      time.advance(millis);
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
const of = (requestPayload: unknown, more: object = {}) => ({ ...record, requestPayload, ...more });
const events = () => lines.map(({ event }) => event);

describe('an event that found its instance busy', () => {
  it('waits out three hours and becomes one backup', async () => {
    await invokeHandler(serviceOf())({ id: 'other', backup: { instance_id, name: 'runs-for-hours' } }, invocation());
    const { status, result, waits } = await defer(record);

    const [backup] = emulator.backups;
    expect(result).toEqual({ job_id: expect.any(String), backup_id: backup?.id });
    expect(status).toBe('SUCCEEDED');
    expect(emulator.backups.map(({ name, status }) => [name.slice(0, 33), status])).toEqual([
      ['before-migration-20260203T040506Z', 'BUILDING'],
      ['runs-for-hours', 'COMPLETED'],
    ]);
    const minutes = waits.map(([, minutes]) => minutes);
    expect(minutes).toEqual([1, 2, 4, 8, ...Array(11).fill(15)]);
    expect(minutes.reduce((sum, minutes) => sum + minutes)).toBe(180);
    // One for the backup that ran, one after each wait.
    expect(posts()).toHaveLength(1 + waits.length);
    expect(announced).toEqual([]);
  });

  it('logs each attempt with the reason and the next one, and the end under the original trigger', async () => {
    refuseNext('instanceBusy');
    await defer(record);
    const original = {
      trigger: 'event-bus',
      trigger_id: record.requestPayload.id,
      instance_id,
      since: record.timestamp,
    };
    expect(lines).toMatchObject([
      {
        ...original,
        level: 'info',
        event: 'backup.deferred',
        error: 'InstanceBusy',
        dds_code: 'DBS.201015',
        attempt: 1,
        next_attempt: '2026-02-03T04:08:08.412Z',
      },
      { ...original, level: 'info', event: 'backup.accepted', backup_id: emulator.backups[0]?.id },
    ]);
  });

  it('takes the backup that an earlier delivery made', async () => {
    const { backup_id } = await eventBusHandler(serviceOf())(record.requestPayload, invocation());
    const { result } = await defer(record);
    expect(result).toEqual({ backup_id });
    expect(emulator.backups).toHaveLength(1);
    expect(events()).toEqual(['backup.accepted', 'backup.recognised']);
  });
});

describe('what time may cure', () => {
  it.each([
    ['systemBusy', 'Throttled'],
    ['tooManyCalls', 'Throttled'],
    ['serverError', 'DdsUnavailable'],
  ] as const)('%s is waited out', async (refusal, error) => {
    let refused = 0;
    emulator.faults.decide = () =>
      time.now().getTime() < Date.parse(record.timestamp) + 10 * MINUTE && ++refused
        ? { kind: 'error', ...refusals[refusal] }
        : undefined;
    const { status, waits } = await defer(failedWith(error));
    expect(status).toBe('SUCCEEDED');
    expect(refused).toBeGreaterThan(0);
    expect(waits.length).toBeGreaterThan(1);
    expect(emulator.backups).toHaveLength(1);
  });

  it('is waited for as long as DDS asks', async () => {
    const { tooManyCalls } = refusals;
    emulator.faults.next({ kind: 'error', ...tooManyCalls, headers: { 'retry-after': '3600' } });
    expect((await defer(record)).waits).toEqual([
      ['first-wait', 1],
      ['create-backup', 60],
    ]);
  });

  it('is a wrong key, until it is mended', async () => {
    await emulator.close();
    const wrong = startEmulator({ clock: time.now, credentials: [] });
    emulator = await wrong;
    const { error } = await defer(record, { env: { DEFERRED_PATIENCE_SECONDS: '600' } });
    expect(error?.ErrorType).toBe('CredentialsRefused');
    expect(events()).toEqual(['backup.deferred', 'backup.deferred', 'backup.failed']);
  });

  it('is an answer that never came', async () => {
    emulator.faults.next(...Array(6).fill({ kind: 'hang', when: 'before' }));
    const { status } = await defer(failedWith('UpstreamTimeout'));
    expect(status).toBe('SUCCEEDED');
    expect(emulator.backups).toHaveLength(1);
  });

  it('is a function that could not be started at all', async () => {
    const { responsePayload: _, responseContext: __, ...unstarted } = record;
    const { status } = await defer({
      ...unstarted,
      requestContext: { ...record.requestContext, condition: 'EventAgeExceeded' },
    });
    expect(status).toBe('SUCCEEDED');
    expect(events()).toEqual(['backup.accepted']);
  });
});

describe('a crash of the function', () => {
  it.each([
    ['Sandbox.Timedout', 'RequestId: e4b46cbf Error: Task timed out after 60.00 seconds'],
    ['Runtime.ExitError', 'RequestId: e4b46cbf Error: Runtime exited with error: signal: killed'],
    ['TypeError', 'x is not a function'],
  ])('%s is told once, since the function could not, and tried again', async (errorType, message) => {
    refuseNext('instanceBusy');
    const { status } = await defer(failedWith(errorType, message));
    expect(status).toBe('SUCCEEDED');
    expect(events()).toEqual(['backup.failed', 'backup.deferred', 'backup.accepted']);
    const { requestId } = record.requestContext;
    expect(lines[0]).toMatchObject({ level: 'error', error: errorType, request_id: requestId, trigger: 'event-bus' });
    expect(JSON.stringify(lines)).not.toContain(message);
  });

  it('that tells of no type is told as Unhandled', async () => {
    const errorMessage = 'RequestId: e4b46cbf Process exited before completing request';
    const { status } = await defer({ ...record, responsePayload: { errorMessage } });
    expect(status).toBe('SUCCEEDED');
    expect(lines).toMatchObject([{ event: 'backup.failed', error: 'Unhandled' }, { event: 'backup.accepted' }]);
  });

  it('that lost its answer is no second backup', async () => {
    const { backup_id } = await eventBusHandler(serviceOf())(record.requestPayload, invocation());
    const { result } = await defer(failedWith('Sandbox.Timedout'));
    expect(result).toEqual({ backup_id });
    expect(emulator.backups).toHaveLength(1);
  });
});

it('a secret that cannot be read for a moment is waited out', async () => {
  const secret = JSON.stringify({ SecretString: JSON.stringify(DEMO_CREDENTIALS) });
  let asked = 0;
  const extension = createServer((_, response) => {
    asked += 1;
    response.writeHead(asked === 1 ? 500 : 200).end(secret);
  });
  onTestFinished(() => void extension.close());
  await new Promise<void>((resolve) => extension.listen(0, 'localhost', resolve));
  const { port } = extension.address() as AddressInfo;
  const { status, waits } = await defer(failedWith('SecretUnavailable'), {
    env: {
      OTC_SDK_AK: '',
      OTC_SDK_SK: '',
      OTC_CREDENTIALS_SECRET: 'dds',
      PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: String(port),
    },
  });
  expect(status).toBe('SUCCEEDED');
  expect(waits).toEqual([
    ['first-wait', 1],
    ['create-backup', 2],
  ]);
  expect(events()).toEqual(['backup.deferred', 'backup.accepted']);
});

describe('what time does not cure', () => {
  it.each(['InvalidRequest', 'BackupNameTaken', 'DdsRejected', 'ConfigurationError'])(
    '%s ends at once, aloud, and DDS is not asked',
    async (errorType) => {
      const { status, error, waits } = await defer(failedWith(errorType, 'DDS answered 400 DBS.201201: it is taken'));
      expect(status).toBe('FAILED');
      expect(error).toMatchObject({ ErrorType: errorType, ErrorMessage: 'DDS answered 400 DBS.201201: it is taken' });
      expect(waits).toEqual([]);
      expect(emulator.requests).toEqual([]);
      expect(announced).toEqual([
        {
          type: 'DDS Backup Refused',
          time: time.now(),
          detail: {
            id: expect.stringMatching(/^arn:aws:lambda:.*durable-execution/),
            trigger: 'event-bus',
            trigger_id: record.requestPayload.id,
            instance_id,
            name: expect.stringMatching(/^before-migration-20260203T040506Z-[0-9a-f]{12}$/),
            since: record.timestamp,
            error: errorType,
            message: 'DDS answered 400 DBS.201201: it is taken',
            dds_code: 'DBS.201201',
            attempts: 1,
          },
        },
      ]);
      expect(lines).toMatchObject([{ error: errorType, dds_code: 'DBS.201201', trigger: 'event-bus', attempts: 1 }]);
    },
  );

  it('ends the waiting when DDS says it later', async () => {
    refuseNext('instanceBusy', 'noSuchInstance');
    const { error } = await defer(record);
    expect(error).toMatchObject({
      ErrorType: 'DdsRejected',
      ErrorMessage: `After 3 attempts since ${record.timestamp}: DDS answered 404 DBS.200002: The DB instance does not exist.`,
    });
    expect(announced).toMatchObject([{ detail: { error: 'DdsRejected', dds_code: 'DBS.200002', attempts: 3 } }]);
    expect(events()).toEqual(['backup.deferred', 'backup.refused']);
  });

  it('is a configuration that is wrong here', async () => {
    const { error, waits } = await defer(record, { env: { OTC_SDK_PROJECT_ID: '' } });
    expect(error?.ErrorType).toBe('ConfigurationError');
    expect(waits).toEqual([['first-wait', 1]]);
  });

  it.each(['1.5', '-1', 'a day', '0x10x'])('is a patience of %j', async (DEFERRED_PATIENCE_SECONDS) => {
    const { error } = await defer(record, { env: { DEFERRED_PATIENCE_SECONDS } });
    expect(error).toMatchObject({
      ErrorType: 'ConfigurationError',
      ErrorMessage: expect.stringContaining('DEFERRED_PATIENCE_SECONDS'),
    });
    expect(announced).toHaveLength(1);
    expect(emulator.requests).toEqual([]);
  });
});

describe('patience', () => {
  it('ends after a day by default, with the last word of DDS', async () => {
    always('instanceBusy');
    const { status, error, waits } = await defer(record);
    const waited = waits.reduce((sum, [, minutes]) => sum + minutes, 0);
    expect(waited).toBe(24 * 60);
    expect(status).toBe('FAILED');
    expect(error?.ErrorType).toBe('InstanceBusy');
    expect(error?.ErrorMessage).toBe(
      `After ${waits.length + 1} attempts since ${record.timestamp}: DDS answered 403 DBS.201015: ${refusals.instanceBusy.error_msg}`,
    );
    expect(announced).toMatchObject([
      {
        detail: { error: 'InstanceBusy', dds_code: 'DBS.201015', attempts: waits.length + 1, since: record.timestamp },
      },
    ]);
    expect(events().filter((event) => event !== 'backup.deferred')).toEqual(['backup.refused']);
    expect(emulator.backups).toEqual([]);
  }, 20_000);

  it('is as long as the environment says', async () => {
    always('instanceBusy');
    const { waits } = await defer(record, { env: { DEFERRED_PATIENCE_SECONDS: '420' } });
    expect(waits).toEqual([
      ['first-wait', 1],
      ['create-backup', 2],
      ['create-backup', 4],
    ]);
  });

  it('counts from the first failure, however late the record comes', async () => {
    always('instanceBusy');
    time.advance(30 * HOUR);
    const { waits, error } = await defer(record);
    expect(waits).toEqual([['first-wait', 1]]);
    expect(error?.ErrorType).toBe('InstanceBusy');
    expect(posts()).toHaveLength(1);
  });
});

describe('a crash of this function', () => {
  const step = ({ Name, Action }: OperationUpdate) => `${Name} ${Action}`;
  const crashOnce = (at: string, moment: 'before' | 'after') => {
    let crashed = false;
    return (updates: readonly OperationUpdate[], when: 'before' | 'after') => {
      if (crashed || when !== moment || !updates.some((update) => step(update) === at)) return;
      crashed = true;
      throw new Error('the sandbox is gone');
    };
  };

  it.each(['before', 'after'] as const)('%s the checkpoint of the backup leaves one backup', async (moment) => {
    const { status, result, invocations } = await defer(record, {
      onCheckpoint: crashOnce('create-backup SUCCEED', moment),
    });
    expect(status).toBe('SUCCEEDED');
    expect(invocations).toBe(3);
    expect(result).toMatchObject({ backup_id: emulator.backups[0]?.id });
    expect(emulator.backups).toHaveLength(1);
    expect(posts()).toHaveLength(moment === 'before' ? 2 : 1);
    const recognised = moment === 'before' ? ['backup.recognised'] : [];
    expect(events()).toEqual(['backup.accepted', ...recognised]);
  });

  it('between the backup and its checkpoint recognises it by a name that the caller gave, without a time, too', async () => {
    const named = of({ backup: { instance_id, name: 'before-import' } });
    const { result } = await defer(named, { onCheckpoint: crashOnce('create-backup SUCCEED', 'before') });
    expect(result).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(events()).toEqual(['backup.accepted', 'backup.recognised']);
    expect(emulator.backups).toHaveLength(1);
  });

  it.each(['before', 'after'] as const)(
    '%s the checkpoint of a retry still waits, and leaves one backup',
    async (moment) => {
      refuseNext('instanceBusy');
      const { status, waits } = await defer(record, { onCheckpoint: crashOnce('create-backup RETRY', moment) });
      expect(status).toBe('SUCCEEDED');
      expect(waits).toEqual(
        moment === 'before'
          ? [['first-wait', 1]]
          : [
              ['first-wait', 1],
              ['create-backup', 2],
            ],
      );
      expect(emulator.backups).toHaveLength(1);
    },
  );

  it('after the announcement repeats it under the same id', async () => {
    const { status } = await defer(failedWith('DdsRejected'), {
      onCheckpoint: crashOnce('announce-refusal SUCCEED', 'before'),
    });
    expect(status).toBe('FAILED');
    const ids = announced.map(({ detail }) => detail.id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });
});

describe('a name that the caller gave, in a payload without a time', () => {
  const named = { backup: { instance_id, name: 'before-import' } };

  it.each([
    ['in the original invocation', 'original'],
    ['here', 'deferred'],
  ])('is recognised when the answer was lost %s', async (_, where) => {
    let failed = record;
    if (where === 'original') {
      time.advance(-30_000);
      emulator.faults.decide = ({ operation }) =>
        operation === 'create-backup' ? { kind: 'hang', when: 'after' } : { kind: 'reset', when: 'before' };
      await expect(invokeHandler(serviceOf())(named, invocation())).rejects.toMatchObject({ name: 'UpstreamTimeout' });
      emulator.faults.clear();
      failed = failedWith('UpstreamTimeout', 'no answer');
    } else {
      emulator.faults.next({ kind: 'reset', when: 'after', operation: 'create-backup' });
    }
    const { result } = await defer({ ...failed, requestPayload: named });
    expect(result).toEqual({ backup_id: emulator.backups[0]?.id });
    expect(emulator.backups).toHaveLength(1);
  });

  it('is refused when the backup of that name is an older one', async () => {
    time.advance(-5 * MINUTE);
    await invokeHandler(serviceOf())(named, invocation());
    time.advance(5 * MINUTE);
    const { error } = await defer(of(named));
    expect(error?.ErrorType).toBe('BackupNameTaken');
    expect(emulator.backups).toHaveLength(1);
  });
});

describe('two calls for one name, without a time, half a minute apart', () => {
  const call = { backup: { instance_id, name: 'before-import' } };
  beforeEach(async () => {
    time.advance(-30_000);
    await invokeHandler(serviceOf())(call, invocation());
    time.advance(30_000);
  });

  it.each(['InstanceBusy', 'Throttled', 'CredentialsRefused', 'SecretUnavailable'])(
    'are two where the second is known to have made none: it failed with %s',
    async (name) => {
      const { error } = await defer({ ...failedWith(name, 'none'), requestPayload: call });
      expect(error?.ErrorType).toBe('BackupNameTaken');
      expect(emulator.backups).toHaveLength(1);
    },
  );

  it.each(['UpstreamTimeout', 'DdsUnavailable', 'Sandbox.Timedout', 'Runtime.ExitError'])(
    'are taken for one where the second may have made it: it failed with %s',
    async (name) => {
      const { result } = await defer({ ...failedWith(name, 'nobody knows'), requestPayload: call });
      expect(result).toEqual({ backup_id: emulator.backups[0]?.id });
    },
  );
});

describe('the identity is the original one', () => {
  const prefixed = { backup: { instance_id, name_prefix: 'nightly' } };

  it.each([
    ['of the bus', (): unknown => record.requestPayload],
    ['of a call with an id', () => ({ id: 'import-1', ...prefixed })],
    ['of the schedule', () => ({ ...sample('schedule'), time: '2026-02-03T04:00:00Z' })],
    ['of a call without one', () => prefixed],
  ])('%s', async (_, payload) => {
    const { requestId } = record.requestContext;
    const handler = payload() === record.requestPayload ? eventBusHandler(serviceOf()) : invokeHandler(serviceOf());
    const { backup_id } = (await handler(payload() as never, invocation(requestId))) as { backup_id: string };
    const { result } = await defer(of(payload()));
    expect(result).toEqual({ backup_id });
    expect(lines.at(-1)).toMatchObject({ trigger: lines[0]?.trigger, trigger_id: lines[0]?.trigger_id });
  });

  it.each([
    ['a day and an hour before it failed', '2026-02-02T03:05:08.412Z', 'SUCCEEDED'],
    ['longer before', '2026-02-02T03:05:08.411Z', 'FAILED'],
    ['five minutes ahead', '2026-02-03T04:10:08.412Z', 'SUCCEEDED'],
    ['further ahead', '2026-02-03T04:10:08.413Z', 'FAILED'],
  ])('a time %s is held against the failure, not against now', async (_, at, expected) => {
    time.advance(20 * HOUR);
    const { status } = await defer(of({ id: 'a', time: at, ...prefixed }));
    expect(status).toBe(expected);
  });
});

describe('an event that is no record', () => {
  it.each([
    ['null', null, '/requestPayload is required'],
    ['text', 'InstanceBusy', '/requestPayload is required'],
    ['the event itself', record.requestPayload, '/requestPayload is required'],
    ['a record without a payload', of(undefined), '/requestPayload is required'],
    ['a record without a time', of(record.requestPayload, { timestamp: undefined }), '/timestamp is required'],
    ['a record with a time that is none', of(record.requestPayload, { timestamp: 'now' }), '/timestamp is required'],
    [
      'a record of no request',
      of(record.requestPayload, { requestContext: {} }),
      '/requestContext/requestId is required',
    ],
    ['a record of a request that breaks a rule', of({ backup: { instance_id } }), 'must have name or name_prefix'],
    ['a record of null', of(null), 'it must be of type object'],
    ['a record of an event without an id', of({ ...record.requestPayload, id: 7 }), '/id must be a string'],
  ])('%s is InvalidRequest, aloud, and DDS hears nothing', async (_, event, message) => {
    const { status, error } = await defer(event);
    expect(status).toBe('FAILED');
    expect(error).toMatchObject({ ErrorType: 'InvalidRequest', ErrorMessage: expect.stringContaining(message) });
    expect(emulator.requests).toEqual([]);
    expect(announced).toMatchObject([{ type: 'DDS Backup Refused', detail: { error: 'InvalidRequest' } }]);
    expect(lines).toMatchObject([{ level: 'warn', event: 'backup.refused', error: 'InvalidRequest' }]);
  });
});

it('without the id of its request tells of none', async () => {
  await defer(of({ backup: { instance_id, name_prefix: 'nightly' } }, { requestContext: {} }));
  expect(announced).toMatchObject([{ detail: { trigger: 'invoke', instance_id } }]);
  expect(announced[0]?.detail).not.toHaveProperty('name');
  expect(announced[0]?.detail.trigger_id).toBeUndefined();
  expect(lines[0]?.trigger_id).toBeUndefined();
});

describe('an announcement that nobody takes', () => {
  it('is repeated, then left: the execution fails with the reason that there is no backup', async () => {
    let asked = 0;
    const announce = async () => {
      asked += 1;
      throw new Error('no such bus');
    };
    const { status, error, waits } = await defer(failedWith('DdsRejected', 'DDS answered 404 DBS.200002: none'), {
      announce,
    });
    expect(asked).toBe(4);
    expect(waits.map(([operation]) => operation)).toEqual(Array(3).fill('announce-refusal'));
    expect(status).toBe('FAILED');
    expect(error).toMatchObject({ ErrorType: 'DdsRejected', ErrorMessage: 'DDS answered 404 DBS.200002: none' });
    expect(events()).toEqual(['backup.refused', ...Array(4).fill('announcement.failed')]);
  });
});

describe('an error that nobody expected', () => {
  it('is told of at once, without what it holds, which is not known, and tried again', async () => {
    always('systemBusy');
    const service = backupService({
      env: environment(emulator),
      now: time.now,
      wait: async () => {
        throw new RangeError('it may quote anything');
      },
    });
    const { error, operations } = await runDurableExecution({
      handler: deferredHandler(service, async (all) => void announced.push(...all), {
        DEFERRED_PATIENCE_SECONDS: '200',
      }),
      payload: record,
      context: invocation,
      now: time.now,
      wait: async (millis) => time.advance(millis),
    });
    expect(events()).toEqual(['backup.failed', 'backup.deferred', 'backup.failed']);
    expect(error).toMatchObject({ ErrorType: 'Unexpected', ErrorMessage: expect.stringContaining('nobody expected') });
    expect(announced).toMatchObject([{ detail: { error: 'Unexpected', attempts: 3 } }]);
    expect(JSON.stringify([lines, announced, error, operations])).not.toContain('quote');
  });
});
